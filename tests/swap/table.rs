//! Every kind of change: can it be swapped, and how?

use changeover::{
    engine::{
        manifest::{ChunkKind, SlotKind, Store},
        swap::{Page, Plan, Use, Why},
    },
    ids::BuildId,
};

use crate::{
    app::{App, module, plan, shop, showing, slot, using},
    asking::{ALL, deploy, fetched, find, names, only, refused, started, swap},
};

type Edit = fn(&mut App);

#[test]
fn a_build_that_is_the_same_changes_nothing() {
    let Plan::Nothing(moves) = deploy(&shop(), &shop(), &showing(&ALL)) else {
        panic!("nothing changed");
    };
    assert_eq!(moves.to, BuildId("b".into()));
}

#[test]
fn the_own_code_of_one_slot_swaps_that_slot_and_fetches_one_file() {
    let edited = shop().with(|app| app.module("cart").text = 2);
    let moves = swap(&shop(), &edited, &showing(&ALL));
    assert_eq!(names(&moves), ["cart"]);
    assert_eq!(fetched(&moves), [edited.file("cart")]);
    assert_eq!((moves.new_bytes, moves.dead_bytes), (102, 101));
    assert_eq!(moves.total_bytes, 102 + 3 * 101);
    let cart = &moves.slots[0];
    assert_eq!(cart.from_file, shop().file("cart"));
    assert_eq!(cart.pointer.file, edited.file("cart"));
    assert_eq!(cart.root, ["cart"]);
    assert!(moves.moved.is_empty());
}

#[test]
fn a_module_of_several_slots_swaps_all_of_them_at_once() {
    let edited = shop().with(|app| app.module("widgets").text = 2);
    let moves = swap(&shop(), &edited, &showing(&ALL));
    assert_eq!(names(&moves), ["cart", "home"]);
    // What is imported comes before what imports it.
    assert_eq!(
        fetched(&moves),
        ["widgets", "cart", "home"].map(|module| edited.file(module))
    );
    assert_eq!(moves.slots[0].root, ["cart", "widgets"]);
}

#[test]
fn a_slot_that_is_not_mounted_only_gets_its_pointer_moved() {
    let edited = shop().with(|app| app.module("widgets").text = 2);
    for page in [
        showing(&["about"]),
        using(&[("cart", Use::Idle), ("about", Use::Mounted)]),
    ] {
        let moves = swap(&shop(), &edited, &page);
        assert!(moves.slots.is_empty() && moves.fetch.is_empty());
        let moved: Vec<&str> = moves
            .moved
            .iter()
            .map(|moved| moved.slot.as_str())
            .collect();
        assert_eq!(moved, ["cart", "home"]);
        assert_eq!(moves.moved[0].file, edited.file("cart"));
    }
}

#[test]
fn a_new_module_of_a_slot_is_fetched_with_it() {
    let edited = shop().with(|app| {
        app.modules.insert("price".into(), module(1, &["util"]));
        app.module("cart").imports.push("price".into());
    });
    let moves = swap(&shop(), &edited, &showing(&ALL));
    assert_eq!(names(&moves), ["cart"]);
    assert_eq!(
        fetched(&moves),
        ["price", "cart"].map(|module| edited.file(module))
    );
}

#[test]
fn a_slot_that_begins_to_use_a_widget_of_others_fetches_no_widget() {
    let edited = shop().with(|app| app.module("about").imports.push("widgets".into()));
    let moves = swap(&shop(), &edited, &showing(&ALL));
    assert_eq!(names(&moves), ["about"]);
    assert_eq!(fetched(&moves), [edited.file("about")]);
    // Without the others the page does not have it.
    let moves = swap(&shop(), &edited, &showing(&["about"]));
    assert_eq!(
        fetched(&moves),
        ["widgets", "about"].map(|module| edited.file(module))
    );
}

#[test]
fn an_export_that_the_shell_did_not_ship_refuses_unless_the_module_is_pinned() {
    let exporting = |app: &mut App, exports: &[&str]| {
        app.module("util").exports = exports.iter().map(ToString::to_string).collect();
    };
    let before = shop().with(|app| exporting(app, &["fmt"]));
    let after = shop().with(|app| {
        exporting(app, &["fmt", "round"]);
        app.module("cart").text = 2;
    });
    let refusals = refused(&before, &after, &showing(&ALL));
    let missing = find(&refusals, Why::SignatureMissing);
    assert_eq!(missing.missing.as_deref(), Some("round"));
    assert_eq!(
        (missing.slot.as_deref(), missing.module.as_deref()),
        (Some("cart"), Some("util"))
    );
    assert_eq!(missing.root, ["cart", "util"]);
    // A pinned module exports everything from the beginning.
    let pinned = |app: &mut App| {
        app.pinned.insert("util".into());
        exporting(app, &["fmt", "round"]);
    };
    let (before, after) = (shop().with(pinned), after.with(pinned));
    assert_eq!(names(&swap(&before, &after, &showing(&ALL))), ["cart"]);
}

#[test]
fn what_a_slot_imports_later_is_part_of_it_and_is_not_fetched_ahead() {
    let before = shop().with(|app| {
        app.modules.insert("dialog".into(), module(1, &["widgets"]));
        app.module("cart").later.push("dialog".into());
    });
    let after = before.with(|app| app.module("dialog").text = 2);
    let moves = swap(&before, &after, &showing(&ALL));
    assert_eq!(names(&moves), ["cart"]);
    assert_eq!(fetched(&moves), [after.file("cart")]);
    assert_eq!(moves.slots[0].root, ["cart", "dialog"]);
}

#[test]
fn a_schema_moves_when_the_new_code_reads_the_old_one_or_does_not_say() {
    let after = shop().with(|app| {
        app.slots.get_mut("cart").unwrap().schema = 3;
        app.module("cart").text = 2;
    });
    let moves = swap(&shop(), &after, &showing(&ALL));
    assert_eq!(
        (moves.slots[0].from_schema, moves.slots[0].to_schema),
        (1, 3)
    );
    let reading = |reads: &[u32]| {
        let store = Store {
            schema: 3,
            reads: reads.to_vec(),
        };
        after.with(|app| drop(app.stores.insert("cart".into(), store)))
    };
    swap(&shop(), &reading(&[1, 3]), &showing(&ALL));
    let refusals = refused(&shop(), &reading(&[2, 3]), &showing(&ALL));
    let refusal = only(&refusals, Why::NoMigrationPath);
    assert_eq!(refusal.slot.as_deref(), Some("cart"));
    // Without a state there is nothing to migrate.
    swap(&shop(), &reading(&[2, 3]), &showing(&["home"]));
    // Back, the code that is left may know the way.
    swap(&reading(&[2, 3]), &shop(), &showing(&ALL));
}

#[test]
fn a_leaf_that_the_shell_uses_too_refuses_and_names_it() {
    let edited = shop().with(|app| app.module("util").text = 2);
    let refusals = refused(&shop(), &edited, &showing(&ALL));
    let shell = find(&refusals, Why::ShellChanged);
    assert_eq!(shell.file.as_deref(), Some(edited.file("util").as_str()));
    assert_eq!(shell.root, ["main", "util"]);
    let copy = find(&refusals, Why::SecondCopy);
    assert_eq!(copy.slot.as_deref(), Some("cart"));
    assert_eq!(copy.root, ["cart", "util"]);
}

#[test]
fn a_change_of_the_framework_refuses() {
    let edited = shop().with(|app| app.module("framework").text = 2);
    let refusals = refused(&shop(), &edited, &showing(&ALL));
    assert_eq!(
        find(&refusals, Why::ShellChanged).root,
        ["main", "framework"]
    );
    let pinned = |app: &mut App| app.pin("framework");
    let refusals = refused(&shop().with(pinned), &edited.with(pinned), &showing(&ALL));
    let refusal = find(&refusals, Why::PinnedChanged);
    assert_eq!(refusal.module.as_deref(), Some("framework"));
}

#[test]
fn a_pinned_module_that_only_slots_hold_refuses_too() {
    let before = shop().with(|app| app.pin("widgets"));
    let after = before.with(|app| app.module("widgets").text = 2);
    let refusals = refused(&before, &after, &showing(&ALL));
    let refusal = only(&refusals, Why::PinnedChanged);
    assert_eq!(refusal.root, ["cart", "widgets"]);
    assert_eq!(refusal.slot.as_deref(), Some("cart"));
}

#[test]
fn shell_entry_html_base_and_epoch_refuse() {
    let edits: [(Edit, Why); 5] = [
        (|app| app.module("main").text = 2, Why::EntryChanged),
        (|app| app.html = 1, Why::HtmlChanged),
        (|app| app.base = "/shop/".into(), Why::BaseChanged),
        (|app| app.epoch = 2, Why::EpochChanged),
        (
            |app| {
                app.modules.insert("admin".into(), module(1, &[]));
                app.entries.push("admin".into());
            },
            Why::EntryChanged,
        ),
    ];
    for (edit, why) in edits {
        only(&refused(&shop(), &shop().with(edit), &showing(&ALL)), why);
    }
    let admin = shop().with(edits[4].0);
    let refusals = refused(&admin, &shop(), &showing(&ALL));
    let gone = only(&refusals, Why::EntryChanged);
    assert_eq!(gone.module.as_deref(), Some("admin"));
    assert_eq!(gone.root, ["admin"]);
}

#[test]
fn what_the_shell_imports_later_is_shell() {
    let before = shop().with(|app| {
        app.modules.insert("help".into(), module(1, &[]));
        app.module("main").later.push("help".into());
    });
    let after = before.with(|app| app.module("help").text = 2);
    let refusals = refused(&before, &after, &showing(&ALL));
    assert_eq!(only(&refusals, Why::ShellChanged).root, ["main", "help"]);
}

#[test]
fn the_styles_of_a_slot_change_without_its_code() {
    let styled = |text| shop().with(|app| app.module("widgets").css = Some(text));
    let Plan::Styles(moves) = deploy(&styled(1), &styled(2), &showing(&ALL)) else {
        panic!("no code changed");
    };
    assert_eq!(moves.styles_in, ["assets/widgets-2.css"]);
    assert_eq!(moves.styles_out, ["assets/widgets-1.css"]);
    assert_eq!(fetched(&moves), ["assets/widgets-2.css"]);
    let moved: Vec<&str> = moves
        .moved
        .iter()
        .map(|moved| moved.slot.as_str())
        .collect();
    assert_eq!(moved, ["cart", "home"]);
    assert_eq!(moves.moved[0].css, ["assets/widgets-2.css"]);
    // No slot of the page has the old style.
    let Plan::Styles(moves) = deploy(&styled(1), &styled(2), &showing(&["about"])) else {
        panic!("no code changed");
    };
    assert!(moves.styles_in.is_empty() && moves.styles_out.is_empty());
    assert_eq!(moves.moved.len(), 2);
}

#[test]
fn styles_come_with_the_code_and_go_with_it_when_no_other_code_has_them() {
    let before = shop().with(|app| {
        app.module("cart").css = Some(1);
        app.module("home").css = Some(7);
    });
    let after = before.with(|app| {
        app.module("cart").css = Some(2);
        app.module("cart").text = 2;
        app.module("cart").imports.push("home".into());
    });
    let moves = swap(&before, &after, &showing(&["cart"]));
    assert_eq!(moves.styles_in, ["assets/home-7.css", "assets/cart-2.css"]);
    assert_eq!(moves.styles_out, ["assets/cart-1.css"]);
    assert_eq!(moves.slots[0].pointer.css, moves.styles_in);
    let moves = swap(&before, &after, &showing(&ALL));
    assert_eq!(moves.styles_in, ["assets/cart-2.css"]);
    let moves = swap(&after, &before, &showing(&ALL));
    assert_eq!(
        moves.styles_out,
        ["assets/cart-2.css"],
        "home still shows its own"
    );
    let moves = swap(&after, &before, &showing(&["cart"]));
    assert_eq!(moves.styles_out, ["assets/home-7.css", "assets/cart-2.css"]);
}

#[test]
fn the_styles_of_the_shell_alone_are_swapped_alone() {
    let styled = |text| shop().with(|app| app.module("main").css = Some(text));
    let Plan::Styles(moves) = deploy(&styled(1), &styled(2), &showing(&ALL)) else {
        panic!("no code changed");
    };
    assert_eq!(moves.styles_in, ["assets/main-2.css"]);
    assert_eq!(moves.styles_out, ["assets/main-1.css"]);
    assert!(
        moves.moved.is_empty(),
        "the shell's styles are not the slots'"
    );
    // Also where the style gives its script another name.
    let renamed = |text| styled(text).with(|app| app.styles_rename = true);
    assert_ne!(renamed(1).file("main"), renamed(2).file("main"));
    let Plan::Styles(moves) = deploy(&renamed(1), &renamed(2), &showing(&ALL)) else {
        panic!("no code changed");
    };
    assert_eq!(fetched(&moves), ["assets/main-2.css"]);
    assert_eq!(moves.dead_bytes, 0);
    let script = styled(2).with(|app| app.module("main").text = 2);
    only(
        &refused(&styled(1), &script, &showing(&ALL)),
        Why::EntryChanged,
    );
}

#[test]
fn a_new_slot_gets_its_pointer() {
    let after = shop().with(|app| {
        app.modules.insert("search".into(), module(1, &["util"]));
        app.slots.insert("search".into(), slot("search"));
    });
    let moves = swap(&shop(), &after, &showing(&ALL));
    assert!(moves.slots.is_empty());
    assert_eq!(moves.moved[0].slot, "search");
}

#[test]
fn a_slot_that_is_gone_or_of_another_kind_refuses() {
    let gone = shop().with(|app| drop(app.slots.remove("about")));
    let refusals = refused(&shop(), &gone, &showing(&[]));
    assert_eq!(
        only(&refusals, Why::SlotRemoved).slot.as_deref(),
        Some("about")
    );
    for (kind, why) in [
        (SlotKind::Wasm, Why::SlotKindChanged),
        (SlotKind::Unknown, Why::SlotKindChanged),
    ] {
        let other = shop().with(|app| {
            app.slots.get_mut("about").unwrap().kind = kind;
            app.module("about").text = 2;
        });
        only(&refused(&shop(), &other, &showing(&ALL)), why);
    }
    let unknown = |app: &mut App| app.slots.get_mut("about").unwrap().kind = SlotKind::Unknown;
    let before = shop().with(unknown);
    let after = before.with(|app| app.module("about").text = 2);
    only(
        &refused(&before, &after, &showing(&ALL)),
        Why::UnsupportedKind,
    );
    let after = before.with(|app| app.module("cart").text = 2);
    swap(&before, &after, &showing(&ALL));
}

#[test]
fn a_custom_element_is_defined_once_in_a_page() {
    let edited = shop().with(|app| app.module("cart").text = 2);
    let page = |used: &[(&str, Use)]| Page {
        elements: vec!["cart".into()],
        ..using(used)
    };
    for used in [Use::Mounted, Use::Idle] {
        let refusals = refused(&shop(), &edited, &page(&[("cart", used)]));
        only(&refusals, Why::ElementRedefined);
    }
    swap(&shop(), &edited, &page(&[]));
    let other = shop().with(|app| app.module("home").text = 2);
    swap(
        &shop(),
        &other,
        &page(&[("cart", Use::Mounted), ("home", Use::Mounted)]),
    );
}

#[test]
fn a_wasm_slot_is_its_glue_and_its_binary() {
    let before = shop().with(|app| {
        let binary = module(1, &[]);
        app.modules.insert(
            "chart_bg".into(),
            crate::app::Module {
                kind: Some(ChunkKind::Wasm),
                ..binary
            },
        );
        app.modules.insert("chart".into(), module(1, &["chart_bg"]));
        let source = crate::app::SlotSource {
            kind: SlotKind::Wasm,
            ..slot("chart")
        };
        app.slots.insert("chart".into(), source);
    });
    let after = before.with(|app| app.module("chart_bg").text = 2);
    let moves = swap(&before, &after, &showing(&["chart"]));
    assert_eq!(names(&moves), ["chart"]);
    let kinds: Vec<ChunkKind> = moves.fetch.iter().map(|fetch| fetch.kind).collect();
    assert_eq!(kinds, [ChunkKind::Wasm, ChunkKind::Script]);
}

#[test]
fn other_bytes_under_the_name_of_what_a_slot_has_loaded_are_never_taken_for_loaded() {
    let plain = shop().with(|app| {
        app.plain_names = true;
        app.module("widgets").css = Some(1);
    });
    let base = plain.build("a");
    // A bundler that puts no hash into names leaves the files as they were that import what changed.
    let served = |edited: &App| {
        let mut target = edited.build("b");
        for slot in ["assets/cart.js", "assets/home.js"] {
            let chunk = base.chunks.get(slot).unwrap().clone();
            target.chunks.insert(slot.into(), chunk);
        }
        target
    };
    let edits: [(&str, Edit); 2] = [
        ("assets/widgets.js", |app| app.module("widgets").text = 2),
        ("assets/widgets.css", |app| {
            app.module("widgets").css = Some(2);
        }),
    ];
    for (file, edit) in edits {
        let target = served(&plain.with(edit));
        for used in [Use::Idle, Use::Mounted, Use::Taken] {
            let found = plan(&started(&base), &base, &target, &using(&[("cart", used)]));
            let Plan::Refuse(refusals) = found else {
                panic!("{file} is loaded, and the plan is {found:?}");
            };
            let [refusal] = &refusals[..] else {
                panic!("{refusals:?}");
            };
            assert_eq!(refusal.why, Why::FileReplaced);
            assert_eq!(refusal.file.as_deref(), Some(file));
            assert_eq!(refusal.slot.as_deref(), Some("cart"));
        }
        // What the page has not loaded, it will load from the server.
        let found = plan(&started(&base), &base, &target, &using(&[]));
        assert!(!matches!(found, Plan::Refuse(_)), "{found:?}");
    }
}
