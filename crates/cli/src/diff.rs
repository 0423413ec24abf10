//! `changeover diff`: what a deploy means for the tabs that run another build, before it is deployed.

use std::path::Path;

use changeover::engine::format::is_id;
use changeover::engine::graph::{Graph, Links};
use changeover::engine::manifest::Manifest;
use changeover::engine::swap::{Composition, Page, Plan, Use, plan};

use crate::build::{Build, Hints};
use crate::error::{Error, Result};
use crate::site::Site;
use crate::verify::live_manifest;

/// Two builds and the plan that takes a page from one to the other.
#[derive(Debug)]
pub struct Difference {
    pub old: Manifest,
    pub new: Manifest,
    /// For a page that shows every slot and runs only the old build.
    pub plan: Plan,
}

/// Compares two builds, each given as a manifest, the folder of a build, the folder or the URL of a site (its live
/// build), or the id of a build of a site: of `site`, or of the one that is the other operand.
///
/// Errors: `build-missing`, `manifest-*`, `site-*`, `url-invalid`, and what a folder of a build may have wrong with it.
pub fn diff(old: &str, new: &str, site: Option<&Path>) -> Result<Difference> {
    let (old, new) = (
        read(old, &[site, Some(Path::new(new))])?,
        read(new, &[site, Some(Path::new(old))])?,
    );
    let everywhere = old.slots.keys().map(|slot| (slot.clone(), Use::Mounted));
    let page = Page {
        slots: everywhere.collect(),
        ..Page::default()
    };
    let (old_links, new_links) = (Links::of(&old), Links::of(&new));
    let plan = plan(
        &Composition::new(old.id.clone()),
        Graph::new(&old, &old_links),
        Graph::new(&new, &new_links),
        &page,
    );
    Ok(Difference { old, new, plan })
}

fn read(operand: &str, sites: &[Option<&Path>]) -> Result<Manifest> {
    if operand.contains("://") {
        return live_manifest(operand);
    }
    let path = Path::new(operand);
    if path.is_dir() {
        return read_folder(path);
    }
    if path.is_file() {
        return read_file(path);
    }
    let published = sites.iter().flatten().find_map(|root| {
        let site = Site::open(root).ok()?;
        site.manifest_file(operand).is_file().then_some(site)
    });
    match published {
        Some(site) if is_id(operand) => site.manifest(operand),
        Some(_) | None => Err(Error::new(
            "build-missing",
            format!(
                "{operand} is neither a manifest, nor the folder of a build or a site, nor a build of a site"
            ),
        )),
    }
}

/// The live build of a site; any other folder is read as a dist.
fn read_folder(path: &Path) -> Result<Manifest> {
    let site = Site::open(path)?;
    if let Some(release) = site.live()? {
        return site.manifest_of(&release.build);
    }
    Build::read(path, &Hints::default()).map(|build| build.manifest)
}

fn read_file(path: &Path) -> Result<Manifest> {
    // A path to the pointer means the site around it.
    if path.ends_with("changeover/release.json")
        && let Some(root) = path.parent().and_then(Path::parent)
    {
        let root = Some(root).filter(|root| !root.as_os_str().is_empty());
        return read_folder(root.unwrap_or(Path::new(".")));
    }
    let bytes = std::fs::read(path).map_err(|error| Error::io("read", path, &error))?;
    Manifest::parse(&String::from_utf8_lossy(&bytes)).map_err(|error| {
        let text = format!("{} cannot be used: {error}", path.display());
        Error::new("manifest-invalid", text)
    })
}
