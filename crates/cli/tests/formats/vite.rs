//! Dists with a Vite manifest.

use super::*;

#[test]
fn a_vite_manifest_gives_the_graph() {
    let dist = vite_dist("aaaaaaaa", "Cart");
    let build = read(dist.path());
    assert_eq!(build.described_by, Description::Vite);
    let manifest = &build.manifest;
    assert_eq!(manifest.entries, ["assets/index-aaaaaaaa.js"]);
    let entry = manifest.chunks.get("assets/index-aaaaaaaa.js").unwrap();
    assert_eq!(entry.id, "index.html");
    assert_eq!(entry.imports, ["assets/shared-aaaaaaaa.js"]);
    assert_eq!(entry.dynamic_imports, ["assets/Cart-aaaaaaaa.js"]);
    assert_eq!(entry.css, ["assets/index-aaaaaaaa.css"]);
    let owners: Vec<_> = manifest
        .chunks
        .iter()
        .map(|(path, chunk)| {
            (
                path.replace("-aaaaaaaa", ""),
                chunk.id.as_str(),
                chunk.owner,
            )
        })
        .collect();
    assert_eq!(
        owners,
        [
            ("assets/Cart.js".to_owned(), "src/Cart.jsx", Owner::Shared),
            (
                "assets/Cart.js.map".to_owned(),
                "src/Cart.jsx.map",
                Owner::Shared
            ),
            (
                "assets/index.css".to_owned(),
                "index.html?css=0",
                Owner::Shell
            ),
            ("assets/index.js".to_owned(), "index.html", Owner::Shell),
            ("assets/shared.js".to_owned(), "_shared", Owner::Shell),
            ("robots.txt".to_owned(), "robots.txt", Owner::Shell),
        ]
    );
}

#[test]
fn with_a_vite_manifest_renamed_files_have_the_same_code_and_edited_ones_do_not() {
    let (one, renamed, edited) = (
        vite_dist("aaaaaaaa", "Cart"),
        vite_dist("bbbbbbbb", "Cart"),
        vite_dist("cccccccc", "Basket"),
    );
    let codes = |dist: &tempfile::TempDir| -> (String, String, Option<String>) {
        let manifest = read(dist.path()).manifest;
        let code = |id: &str| {
            manifest
                .chunks
                .values()
                .find(|chunk| chunk.id == id)
                .unwrap()
                .code
                .clone()
        };
        (
            code("index.html"),
            code("src/Cart.jsx"),
            manifest.html.clone(),
        )
    };
    let (entry, cart, html) = codes(&one);
    assert_eq!(codes(&renamed), (entry.clone(), cart.clone(), html.clone()));
    let other = codes(&edited);
    assert_eq!((&other.0, &other.2), (&entry, &html));
    assert_ne!(other.1, cart);
}

#[test]
fn a_vite_manifest_that_lists_a_missing_file_or_is_none_is_an_error() {
    let dist = vite_dist("aaaaaaaa", "Cart");
    fs::remove_file(dist.path().join("assets/shared-aaaaaaaa.js")).unwrap();
    assert_eq!(
        refused(dist.path()),
        (
            "file-missing",
            ".vite/manifest.json lists assets/shared-aaaaaaaa.js for _shared-aaaaaaaa.js, but the dist does not have it; build again"
                .into()
        )
    );
    put(dist.path(), ".vite/manifest.json", "[]");
    assert_eq!(refused(dist.path()).0, "vite-manifest-invalid");
}

/// What Vite writes for an entry, a shared chunk, a route, a style and a public file.
fn vite_dist(hash: &str, cart: &str) -> tempfile::TempDir {
    let records = format!(
        r#"{{
        "_shared-{hash}.js": {{ "file": "assets/shared-{hash}.js", "name": "shared" }},
        "index.html": {{ "file": "assets/index-{hash}.js", "name": "index", "src": "index.html", "isEntry": true,
            "imports": ["_shared-{hash}.js"], "dynamicImports": ["src/Cart.jsx"], "css": ["assets/index-{hash}.css"] }},
        "src/Cart.jsx": {{ "file": "assets/Cart-{hash}.js", "name": "Cart", "src": "src/Cart.jsx", "isDynamicEntry": true,
            "imports": ["_shared-{hash}.js", "index.html"] }} }}"#
    );
    let dist = folder([
        ("robots.txt", "all"),
        (".vite/manifest.json", records.as_str()),
    ]);
    put(
        dist.path(),
        "index.html",
        index(&[&format!("/assets/index-{hash}.js")]),
    );
    for (name, code) in [
        ("shared", "shared".to_owned()),
        (
            "index",
            format!("import './shared-{hash}.js'; import('./Cart-{hash}.js')"),
        ),
        (
            "Cart",
            format!(
                "import './index-{hash}.js'; '{cart}'\n//# sourceMappingURL=Cart-{hash}.js.map"
            ),
        ),
    ] {
        put(dist.path(), &format!("assets/{name}-{hash}.js"), code);
    }
    put(dist.path(), &format!("assets/Cart-{hash}.js.map"), cart);
    put(dist.path(), &format!("assets/index-{hash}.css"), "p{}");
    dist
}
