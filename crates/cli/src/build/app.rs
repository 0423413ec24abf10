//! The name of the app, for dists whose bundler did not give one.

use std::fs;
use std::path::Path;

use changeover::engine::format::is_id;

use super::Hints;

/// The name of an app for which none is known.
pub const NAMELESS: &str = "app";

/// The name that the caller gives, else the one that the site serves, else that of the package around the dist, else
/// `app`.
pub fn app_name(dist: &Path, hints: &Hints) -> String {
    hints
        .app
        .clone()
        .or_else(|| hints.fallback_app.clone())
        .or_else(|| id_of_name(package_json(dist)?.get("name")?.as_str()?))
        .unwrap_or_else(|| NAMELESS.into())
}

/// `@shop/web` becomes `shop-web`, as in the bundler plugin.
fn id_of_name(name: &str) -> Option<String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let mut id = String::new();
    for part in name.split(|c| !allowed(c)).filter(|part| !part.is_empty()) {
        if !id.is_empty() {
            id.push('-');
        }
        id.push_str(part);
    }
    let id: String = id.trim_start_matches(['-', '.']).chars().take(64).collect();
    is_id(&id).then_some(id)
}

/// The `package.json` in the dist or one of the two folders above it: where bundlers are run.
pub fn package_json(dist: &Path) -> Option<serde_json::Value> {
    let dist = dist.canonicalize().ok()?;
    dist.ancestors().take(3).find_map(|folder| {
        let text = fs::read_to_string(folder.join("package.json")).ok()?;
        serde_json::from_str(&text).ok()
    })
}
