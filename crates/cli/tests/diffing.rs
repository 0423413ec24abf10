//! What `diff` says of two builds, wherever they are.

mod common;

use std::fs;
use std::path::Path;

use changeover::{
    engine::manifest::{Chunk, ChunkKind, Manifest, Owner, Slot, SlotKind, Store},
    ids::BuildId,
};
use common::{Served, changeover, changeover_json, folder, index, path, publish, put};
use serde_json::Value;

/// A build of a shell and three slots; a file is named after its text and that of what it imports.
fn build(id: &str, edit: impl FnOnce(&mut Texts)) -> Manifest {
    let mut texts = Texts {
        main: "1".into(),
        util: "1".into(),
        cart: "1".into(),
        home: "1".into(),
        widgets: "1".into(),
        style: "1".into(),
        exports: vec!["fmt".into()],
        schema: 1,
    };
    edit(&mut texts);
    let Texts {
        main,
        util,
        cart,
        home,
        widgets,
        style,
        exports,
        schema,
    } = texts;
    let file = |name: &str, stamp: &[&str]| format!("assets/{name}-{}.js", stamp.join("."));
    let util_file = file("util", &[&util]);
    let main_file = file("main", &[&main, &util]);
    let widgets_file = file("widgets", &[&widgets]);
    let cart_file = file("cart", &[&cart, &widgets, &util]);
    let home_file = file("home", &[&home, &widgets]);
    let about_file = file("about", &["1"]);
    let style_file = format!("assets/main-{style}.css");
    let mut manifest = Manifest::new("shop", BuildId(id.into()), "2026-07-31T12:00:00Z");
    manifest.html = Some(hash("html"));
    manifest.entries.push(main_file.clone());
    let mut chunk = |file: &str, id: &str, code: &str, imports: &[&String], owner| {
        let chunk = Chunk {
            id: id.into(),
            code: code.into(),
            integrity: hash(file),
            size: 640,
            kind: ChunkKind::Script,
            imports: imports.iter().map(ToString::to_string).collect(),
            dynamic_imports: vec![],
            css: vec![],
            exports: vec![],
            owner,
        };
        manifest.chunks.insert(file.into(), chunk);
    };
    chunk(
        &main_file,
        "src/main.js",
        &main,
        &[&util_file],
        Owner::Shell,
    );
    chunk(&util_file, "src/util.js", &util, &[], Owner::Shared);
    chunk(&widgets_file, "src/widgets.js", &widgets, &[], Owner::Slot);
    chunk(
        &cart_file,
        "src/Cart.jsx",
        &cart,
        &[&widgets_file, &util_file],
        Owner::Slot,
    );
    chunk(
        &home_file,
        "src/Home.jsx",
        &home,
        &[&widgets_file],
        Owner::Slot,
    );
    chunk(&about_file, "src/About.jsx", "1", &[], Owner::Slot);
    chunk(&style_file, "src/main.css", &style, &[], Owner::Shell);
    manifest.chunks.get_mut(&style_file).unwrap().kind = ChunkKind::Style;
    manifest
        .chunks
        .get_mut(&main_file)
        .unwrap()
        .css
        .push(style_file);
    manifest.chunks.get_mut(&util_file).unwrap().exports = exports;
    for (name, file, schema) in [
        ("cart", cart_file, schema),
        ("home", home_file, 0),
        ("about", about_file, 0),
    ] {
        let kind = SlotKind::Module;
        manifest
            .slots
            .insert(name.into(), Slot { file, kind, schema });
    }
    manifest
}

struct Texts {
    main: String,
    util: String,
    cart: String,
    home: String,
    widgets: String,
    style: String,
    exports: Vec<String>,
    schema: u32,
}

fn hash(text: &str) -> String {
    changeover_cli::hash::Fingerprint::of(text.as_bytes()).integrity
}

/// A folder with these builds as `<id>.json`.
fn manifests(builds: &[Manifest]) -> tempfile::TempDir {
    let root = folder([]);
    for build in builds {
        put(
            root.path(),
            &format!("{}.json", build.id.0),
            build.to_json(),
        );
    }
    root
}

fn said(root: &Path, words: &[&str]) -> String {
    let operands = words.iter().map(|word| match word.ends_with(".json") {
        true => root.join(word).to_str().unwrap().to_owned(),
        false => (*word).to_owned(),
    });
    let words: Vec<String> = ["diff".to_owned()].into_iter().chain(operands).collect();
    let out = changeover(words.iter().map(String::as_str));
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    String::from_utf8(out.stdout).unwrap()
}

#[test]
fn one_sentence_says_what_a_deploy_means_and_the_others_why() {
    let root = manifests(&[
        build("a", |_| {}),
        build("same", |_| {}),
        build("cart", |texts| texts.cart = "2".into()),
        build("widgets", |texts| texts.widgets = "2".into()),
        build("schema", |texts| {
            texts.cart = "2".into();
            texts.schema = 3;
        }),
        build("style", |texts| texts.style = "2".into()),
        build("main", |texts| texts.main = "2".into()),
        build("util", |texts| texts.util = "2".into()),
        build("export", |texts| {
            texts.util = "2".into();
            texts.exports.push("round".into());
        }),
    ]);
    for (new, lines) in [
        (
            "same",
            &["this deploy: nothing that runs in a page changed, no refresh"][..],
        ),
        (
            "cart",
            &[
                "this deploy: 1 slot swaps (640 B), no refresh",
                "  cart: src/Cart.jsx changed",
                "  where a slot is not mounted, only its pointer moves",
            ],
        ),
        (
            "widgets",
            &[
                "this deploy: 2 slots swap (1.9 kB), no refresh",
                "  cart: src/widgets.js changed (src/Cart.jsx > src/widgets.js)",
                "  home: src/widgets.js changed (src/Home.jsx > src/widgets.js)",
                "  where a slot is not mounted, only its pointer moves",
            ],
        ),
        (
            "schema",
            &[
                "this deploy: 1 slot swaps (640 B), no refresh",
                "  cart: src/Cart.jsx changed; its state goes from schema 1 to 3",
                "  where a slot is not mounted, only its pointer moves",
            ],
        ),
        ("style", &["this deploy: styles swap (640 B), no refresh"]),
        (
            "main",
            &["this deploy: refresh, because src/main.js changed, which starts the app"],
        ),
        (
            "util",
            &[
                "this deploy: refresh, because src/util.js changed, which is part of the shell (src/main.js > src/util.js)",
                "  also, slot cart needs another src/util.js than the one that stays in the page (src/Cart.jsx > src/util.js)",
            ],
        ),
        (
            "export",
            &[
                "this deploy: refresh, because src/util.js changed, which is part of the shell (src/main.js > src/util.js)",
                "  also, slot cart needs the export round of src/util.js, which the running one does not have (src/Cart.jsx > src/util.js)",
                "  pinning src/util.js would make this a swap the next time",
            ],
        ),
    ] {
        let text = said(root.path(), &["a.json", &format!("{new}.json")]);
        assert_eq!(text.lines().collect::<Vec<_>>(), lines, "{new}");
    }
}

#[test]
fn a_hint_names_what_can_be_pinned() {
    let renamed = |id: &str, edit: fn(&mut Texts)| {
        let mut build = build(id, edit);
        for (_, chunk) in build
            .chunks
            .iter_mut()
            .filter(|(_, chunk)| chunk.id == "src/util.js")
        {
            chunk.id = "chunk:util".into();
        }
        build
    };
    let export: fn(&mut Texts) = |texts| {
        texts.util = "2".into();
        texts.exports.push("round".into());
    };
    let root = manifests(&[renamed("a", |_| {}), renamed("b", export)]);
    let text = said(root.path(), &["a.json", "b.json"]);
    assert_eq!(
        text.lines().last(),
        Some(
            "  pinning the module that is used from the chunk util would make this a swap the next time"
        )
    );
}

#[test]
fn programs_get_the_same_in_fields() {
    let root = manifests(&[
        build("a", |_| {}),
        build("b", |texts| texts.widgets = "2".into()),
        build("c", |texts| texts.util = "2".into()),
    ]);
    let diff = |old: &str, new: &str| {
        let file = |id: &str| {
            root.path()
                .join(format!("{id}.json"))
                .to_str()
                .unwrap()
                .to_owned()
        };
        let (code, value) = changeover_json(["diff", &file(old), &file(new)]);
        assert_eq!((code, &value["ok"]), (0, &Value::Bool(true)));
        value
    };
    let swap = diff("a", "b");
    assert_eq!(
        (&swap["outcome"], &swap["refresh"]),
        (&Value::from("swap"), &Value::Bool(false))
    );
    assert_eq!(
        swap["summary"],
        "this deploy: 2 slots swap (1.9 kB), no refresh"
    );
    assert_eq!(swap["bytes"]["new"], 1_920);
    assert_eq!(swap["files"].as_array().unwrap().len(), 3);
    let cart = &swap["slots"][0];
    assert_eq!(
        (&cart["slot"], &cart["root"][1]),
        (&Value::from("cart"), &Value::from("src/widgets.js"))
    );
    assert_eq!(cart["to"], "assets/cart-1.2.1.js");
    let refresh = diff("a", "c");
    assert_eq!(
        (&refresh["outcome"], &refresh["refresh"]),
        (&Value::from("refresh"), &Value::Bool(true))
    );
    let codes: Vec<_> = refresh["reasons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reason| reason["code"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["shellChanged", "secondCopy"]);
    assert_eq!(refresh["reasons"][0]["module"], "src/util.js");
    assert_eq!(diff("c", "c")["outcome"], "nothing");
    // The fields are the same for every outcome.
    let keys = |value: &Value| {
        value
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(keys(&swap), keys(&refresh));
}

#[test]
fn a_comment_on_a_pull_request_is_a_table() {
    let root = manifests(&[
        build("a", |_| {}),
        build("b", |texts| {
            texts.widgets = "2".into();
            texts.schema = 2;
        }),
        build("c", |texts| texts.util = "2".into()),
    ]);
    assert_eq!(
        said(root.path(), &["a.json", "b.json", "--markdown"]),
        "**this deploy: 2 slots swap (1.9 kB), no refresh**\n\n\
         | slot | because | state |\n|---|---|---|\n\
         | `cart` | `src/Cart.jsx` → `src/widgets.js` | schema 1 → 2 |\n\
         | `home` | `src/Home.jsx` → `src/widgets.js` | as it is |\n\n\
         <details><summary>3 files to fetch</summary>\n\n\
         - `assets/widgets-2.js` 640 B\n- `assets/cart-1.2.1.js` 640 B\n- `assets/home-1.2.js` 640 B\n\n</details>\n"
    );
    let refresh = said(root.path(), &["a.json", "c.json", "--markdown"]);
    assert!(
        refresh.contains("| `shellChanged` |  | `src/main.js` → `src/util.js` |\n"),
        "{refresh}"
    );
    assert!(
        refresh.contains("| `secondCopy` | `cart` | `src/Cart.jsx` → `src/util.js` |"),
        "{refresh}"
    );
}

#[test]
fn a_state_that_the_new_build_does_not_read_is_said_before_the_deploy() {
    let mut new = build("b", |texts| {
        texts.cart = "2".into();
        texts.schema = 3;
    });
    let store = Store {
        schema: 3,
        reads: vec![2, 3],
    };
    new.stores.insert("cart".into(), store);
    let root = manifests(&[build("a", |_| {}), new]);
    assert_eq!(
        said(root.path(), &["a.json", "b.json"]),
        "this deploy: refresh, because slot cart does not read the state that the running one writes\n"
    );
}

#[test]
fn builds_are_found_in_folders_in_sites_by_url_and_by_id() {
    let root = tempfile::tempdir().unwrap();
    let (one, other, site) = (
        path(&root, "one"),
        path(&root, "other"),
        path(&root, "site"),
    );
    for (dist, text) in [(&one, "1"), (&other, "2")] {
        put(dist, "index.html", index(&["/main.js"]));
        put(dist, "main.js", text);
        put(dist, "page.js", "page");
    }
    let old = publish(&one, &site, &[])["build"]
        .as_str()
        .unwrap()
        .to_owned();
    let new = publish(&other, &site, &[])["build"]
        .as_str()
        .unwrap()
        .to_owned();
    let served = Served::start(&site);
    let word = |place: &Path| place.to_str().unwrap().to_owned();
    let pointer = word(&site.join("changeover/release.json"));
    let manifest = word(&site.join(format!("changeover/builds/{new}.json")));
    let outcome = |words: &[&str]| {
        let (code, value) = changeover_json(["diff"].into_iter().chain(words.iter().copied()));
        assert_eq!(code, 0, "{words:?}: {value}");
        let text = |name: &str| value[name].as_str().unwrap().to_owned();
        (text("old"), text("new"), text("outcome"))
    };
    let refresh = (old.clone(), new.clone(), "refresh".to_owned());
    let (one, other, folder) = (word(&one), word(&other), word(&site));
    for new in [&other, &folder, &served.url, &pointer, &manifest] {
        assert_eq!(outcome(&[&one, new]), refresh, "{new}");
    }
    assert_eq!(outcome(&[&old, &folder]), refresh);
    assert_eq!(outcome(&[&old, &new, "--site", &folder]), refresh);
    let back = (new.clone(), old.clone(), "refresh".to_owned());
    assert_eq!(outcome(&[&folder, &old]), back);
    assert_eq!(outcome(&[&folder, &new]).2, "nothing");
}

#[test]
fn what_an_inline_module_imports_starts_the_app() {
    let page = |code: &str| {
        format!(
            "<!doctype html><meta name=changeover-build content=''><base href='/app/'><script type=module>{code}</script>"
        )
    };
    for code in [
        "import { a } from './a.js'; a();",
        "import\n  \"/app/a.js\"",
        "if (x) import(`./a.js`)",
        "const list = ['a.js']; import('./' + list[0])",
    ] {
        let dist = |content: &str| folder([("index.html", page(code).as_str()), ("a.js", content)]);
        let (old, new) = (dist("1"), dist("2"));
        let words = [
            "diff",
            old.path().to_str().unwrap(),
            new.path().to_str().unwrap(),
        ];
        let (exit, value) = changeover_json(words);
        assert_eq!(
            (exit, &value["outcome"]),
            (0, &"refresh".into()),
            "{code}: {value}"
        );
        assert!(
            value["summary"].as_str().unwrap().contains("a.js changed"),
            "{value}"
        );
        // A page may give its build in a meta tag.
        let site = tempfile::tempdir().unwrap();
        let published = publish(old.path(), &path(&site, "s"), &["--base", "/app/"]);
        assert_eq!(common::note_codes(&published), Vec::<&str>::new());
    }
}

#[test]
fn what_cannot_be_read_is_status_2_and_one_sentence() {
    let root = manifests(&[build("a", |_| {})]);
    put(root.path(), "half.json", "{\"format\":1,");
    fs::create_dir(root.path().join("empty")).unwrap();
    let file = |name: &str| root.path().join(name).to_str().unwrap().to_owned();
    let closed = "http://127.0.0.1:1/";
    for (new, code) in [
        (file("nothing"), "build-missing"),
        ("../a".into(), "build-missing"),
        (file("half.json"), "manifest-invalid"),
        (file("empty"), "no-index"),
        (closed.into(), "manifest-unreachable"),
        ("ftp://x/".into(), "url-invalid"),
    ] {
        for pair in [[file("a.json"), new.clone()], [new.clone(), file("a.json")]] {
            let (status, value) = changeover_json(["diff", &pair[0], &pair[1]]);
            assert_eq!((status, &value["ok"]), (2, &Value::Bool(false)), "{pair:?}");
            assert_eq!(value["error"]["code"], code, "{value}");
            let message = value["error"]["message"].as_str().unwrap();
            assert!(message.contains(new.trim_end_matches('/')), "{message}");
        }
    }
    let out = changeover(["diff", "only-one"]);
    assert_eq!(out.status.code(), Some(2));
    let out = changeover([
        "diff",
        &file("a.json"),
        &file("a.json"),
        "--json",
        "--markdown",
    ]);
    assert_eq!(out.status.code(), Some(2));
}
