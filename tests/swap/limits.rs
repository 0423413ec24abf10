//! What a page remembers over many builds: names that are taken, code that stayed behind, what did not work, and how
//! much there may be of it.

use std::{collections::BTreeSet, time::Instant};

use changeover::{
    engine::{
        manifest::{Chunk, ChunkKind, Manifest, Owner, Slot, SlotKind},
        swap::{Bad, Budget, Composition, Page, Plan, Use, Why},
    },
    ids::BuildId,
    listed::Listed as _,
};

use crate::{
    app::{plan, shop, showing, using},
    asking::{ALL, find, names, only, refused, started},
};

#[test]
fn a_file_that_was_replaced_under_its_name_refuses() {
    let before = shop().with(|app| app.plain_names = true);
    let after = before.with(|app| app.module("cart").text = 2);
    let refusals = refused(&before, &after, &showing(&[]));
    let refusal = only(&refusals, Why::FileReplaced);
    assert_eq!(refusal.file.as_deref(), Some("assets/cart.js"));
    only(
        &refused(
            &before,
            &before.with(|app| app.module("main").text = 2),
            &showing(&[]),
        ),
        Why::EntryChanged,
    );
}

#[test]
fn a_name_is_taken_for_as_long_as_the_page_lives() {
    // The name comes back builds later, with other content; a browser would give the first one.
    let before = shop().build("a");
    let without = shop().with(|app| app.module("cart").text = 2).build("b");
    let mut again = shop().with(|app| app.module("cart").text = 3).build("c");
    let (name, new) = (
        before.slots.get("cart").unwrap().file.clone(),
        again.slots.get("cart").unwrap().file.clone(),
    );
    let mut chunk = again.chunks.remove(&new).unwrap();
    chunk.code = "other".into();
    again.chunks.insert(name.clone(), chunk);
    again.slots.get_mut("cart").unwrap().file = name;
    let mut running = Composition::new(before.id.clone());
    running.on_committed(
        plan(&running, &before, &without, &showing(&ALL))
            .swap_plan()
            .unwrap(),
    );
    let Plan::Refuse(refusals) = plan(&running, &without, &again, &showing(&ALL)) else {
        panic!("the name is taken");
    };
    only(&refusals, Why::FileReplaced);
    // The same content is as good as fetched.
    let Plan::Swap(moves) = plan(&running, &without, &before, &showing(&ALL)) else {
        panic!("going back is a swap");
    };
    assert!(moves.fetch.is_empty());
    assert_eq!(moves.new_bytes, 0);
}

#[test]
fn a_file_that_the_manifest_does_not_describe_refuses() {
    let before = shop().build("a");
    let edited = shop().with(|app| app.module("widgets").text = 2);
    let mut after = edited.build("b");
    after.chunks.remove(&edited.file("widgets"));
    let Plan::Refuse(refusals) = plan(&started(&before), &before, &after, &showing(&ALL)) else {
        panic!("it cannot be verified");
    };
    let refusal = find(&refusals, Why::FileUnlisted);
    assert_eq!(
        refusal.missing.as_deref(),
        Some(edited.file("widgets").as_str())
    );
    let mut after = edited.build("b");
    after.chunks.remove(&edited.file("cart"));
    let Plan::Refuse(refusals) = plan(&started(&before), &before, &after, &showing(&ALL)) else {
        panic!("it cannot be verified");
    };
    assert_eq!(
        find(&refusals, Why::FileUnlisted).slot.as_deref(),
        Some("cart")
    );
}

#[test]
fn code_that_stays_behind_keeps_its_pointer_and_never_meets_a_second_copy() {
    let edited = shop().with(|app| app.module("cart").text = 2);
    let taken = [("cart", Use::Taken), ("home", Use::Mounted)];
    let (before, after) = (shop().build("a"), edited.build("b"));
    let mut running = started(&before);
    let Plan::Nothing(moves) = plan(&running, &before, &after, &using(&taken)) else {
        panic!("the only slot that changed cannot follow");
    };
    running.on_committed(&moves);
    assert_eq!(
        running.stale().get("cart").unwrap().file,
        shop().file("cart")
    );
    // It follows as soon as it can, although the build is the same.
    let Plan::Swap(moves) = plan(&running, &after, &after, &showing(&["cart"])) else {
        panic!("it can follow now");
    };
    assert_eq!(names(&moves), ["cart"]);
    assert_eq!(moves.slots[0].from_file, shop().file("cart"));
    running.on_committed(&moves);
    assert!(running.stale().is_empty());

    // Its widgets are the old ones, so no swap may bring the new ones.
    let edited = shop().with(|app| app.module("widgets").text = 2);
    let refusals = refused(&shop(), &edited, &using(&taken));
    let refusal = only(&refusals, Why::SecondCopy);
    assert_eq!(refusal.slot.as_deref(), Some("home"));
    assert_eq!(refusal.root, ["home", "widgets"]);
    // As long as others do not move, and ever after.
    let only_cart = shop().with(|app| {
        app.module("widgets").text = 2;
        app.module("home").imports = vec![];
    });
    let start = shop().with(|app| app.module("home").imports = vec![]);
    let (before, after) = (start.build("a"), only_cart.build("b"));
    let mut running = started(&before);
    running.on_committed(
        plan(&running, &before, &after, &using(&taken))
            .swap_plan()
            .unwrap(),
    );
    let last = only_cart
        .with(|app| app.module("home").imports = vec!["widgets".into()])
        .build("c");
    let Plan::Refuse(refusals) = plan(&running, &after, &last, &using(&taken)) else {
        panic!("cart still holds the first widgets");
    };
    only(&refusals, Why::SecondCopy);
    let free = using(&[("cart", Use::Mounted), ("home", Use::Mounted)]);
    let Plan::Swap(moves) = plan(&running, &after, &last, &free) else {
        panic!("both can move");
    };
    assert_eq!(names(&moves), ["cart", "home"]);
}

#[test]
fn a_bad_build_and_a_bad_file_are_not_tried_again() {
    let (before, edited) = (
        shop().build("a"),
        shop().with(|app| app.module("cart").text = 2),
    );
    let mut running = started(&before);
    running.on_bad(Bad {
        build: BuildId("b".into()),
        file: Some(edited.file("cart")),
    });
    let Plan::Refuse(refusals) = plan(&running, &before, &edited.build("b"), &showing(&ALL)) else {
        panic!("it is bad");
    };
    assert_eq!(only(&refusals, Why::BadBuild).slot, None, "it is the build");
    // The next build with the same broken file.
    let next = edited.with(|app| app.module("home").text = 2);
    let Plan::Refuse(refusals) = plan(&running, &before, &next.build("c"), &showing(&ALL)) else {
        panic!("it has the bad file");
    };
    assert_eq!(only(&refusals, Why::BadBuild).slot.as_deref(), Some("cart"));
    let fixed = edited.with(|app| app.module("cart").text = 3);
    assert!(matches!(
        plan(&running, &before, &fixed.build("d"), &showing(&ALL)),
        Plan::Swap(_)
    ));
    // It is not known which of its files it was: the build is bad, another with the same files is not.
    running.on_bad(Bad {
        build: BuildId("d".into()),
        file: None,
    });
    let Plan::Refuse(refusals) = plan(&running, &before, &fixed.build("d"), &showing(&ALL)) else {
        panic!("it is bad, whichever file it was");
    };
    only(&refusals, Why::BadBuild);
    assert!(matches!(
        plan(&running, &before, &fixed.build("e"), &showing(&ALL)),
        Plan::Swap(_)
    ));
}

#[test]
fn a_page_takes_so_many_generations_and_dead_bytes() {
    let build = |n: u32| {
        shop()
            .with(|app| app.module("cart").text = n)
            .build(&n.to_string())
    };
    let swaps = |budget: Budget| {
        let page = Page {
            budget,
            ..showing(&ALL)
        };
        let mut base = build(0);
        let mut running = started(&base);
        for n in 1.. {
            let next = build(n);
            match plan(&running, &base, &next, &page) {
                Plan::Swap(moves) => running.on_committed(&moves),
                Plan::Refuse(refusals) => {
                    only(&refusals, Why::BudgetSpent);
                    // Pointers may move all the same.
                    assert!(matches!(
                        plan(&running, &base, &next, &showing(&[])),
                        Plan::Swap(_)
                    ));
                    return n - 1;
                }
                other => panic!("{other:?}"),
            }
            base = next;
        }
        unreachable!()
    };
    let dead_bytes = u64::MAX;
    assert_eq!(
        swaps(Budget {
            generations: 5,
            dead_bytes
        }),
        5
    );
    // 100, 101, 102 … bytes each.
    let generations = u32::MAX;
    assert_eq!(
        swaps(Budget {
            generations,
            dead_bytes: 305
        }),
        3
    );
}

#[test]
fn code_that_comes_to_life_again_is_not_dead() {
    let (one, other) = (
        shop().build("a"),
        shop().with(|app| app.module("cart").text = 2).build("b"),
    );
    let mut running = started(&one);
    for _ in 0..4 {
        running.on_committed(
            plan(&running, &one, &other, &showing(&ALL))
                .swap_plan()
                .unwrap(),
        );
        assert_eq!(running.dead_bytes, 101);
        running.on_committed(
            plan(&running, &other, &one, &showing(&ALL))
                .swap_plan()
                .unwrap(),
        );
        assert_eq!(running.dead_bytes, 102);
    }
}

#[test]
fn each_reason_has_a_code_of_its_own() {
    let codes: BTreeSet<&str> = Why::ALL.iter().map(|why| why.code()).collect();
    assert_eq!(codes.len(), Why::ALL.len());
}

#[test]
fn ten_thousand_chunks_are_planned_in_a_moment() {
    let many = |id: &str, shell: u32, slot: u32| {
        let mut manifest = Manifest::new("shop", BuildId(id.into()), "");
        let file =
            |n: u32, code: u32| format!("assets/{:010}-{code}.js", n.wrapping_mul(2_654_435_761));
        // 5 000 chunks of the shell, 5 000 of 500 slots; each imports three others.
        for n in 0..10_000_u32 {
            let in_shell = n < 5_000;
            let (code, end) = if in_shell {
                (shell, 5_000)
            } else {
                (slot, 10_000)
            };
            let imports = (1..4)
                .map(|step| n + step * step)
                .filter(|other| *other < end);
            let chunk = Chunk {
                id: n.to_string(),
                code: code.to_string(),
                integrity: format!("{n} {code}"),
                size: 1,
                kind: ChunkKind::Script,
                imports: imports.map(|other| file(other, code)).collect(),
                dynamic_imports: vec![],
                css: vec![],
                exports: vec![],
                owner: Owner::Shell,
            };
            manifest.chunks.insert(file(n, code), chunk);
        }
        manifest.entries.push(file(0, shell));
        for n in 0..500 {
            let slot = Slot {
                file: file(5_000 + n * 10, slot),
                kind: SlotKind::Module,
                schema: 0,
            };
            manifest.slots.insert(format!("slot-{n}"), slot);
        }
        manifest
    };
    let base = many("a", 1, 1);
    let names: Vec<String> = base.slots.keys().cloned().collect();
    let page = showing(&names.iter().map(String::as_str).collect::<Vec<_>>());
    for (target, swapped) in [
        (many("b", 1, 1), 0),
        (many("c", 1, 2), 500),
        (many("d", 2, 1), 0),
    ] {
        let start = Instant::now();
        let found = plan(&started(&base), &base, &target, &page);
        println!("{} -> {}: {:?}", base.id.0, target.id.0, start.elapsed());
        assert_eq!(
            found.swap_plan().map_or(0, |moves| moves.slots.len()),
            swapped
        );
    }
}

#[test]
fn a_script_of_the_shell_is_known_by_the_name_it_was_loaded_under() {
    // A style renames the module that the shell and cart share; cart does not change but for that name.
    let app = |text: u32, imports: bool| {
        shop().with(|app| {
            app.styles_rename = true;
            app.module("main").css = Some(text);
            if imports {
                app.module("cart").imports.push("main".into());
            }
        })
    };
    let builds = [
        app(1, false).build("a"),
        app(2, false).build("b"),
        app(2, true).build("c"),
        app(1, true).build("d"),
    ];
    let mut running = started(&builds[0]);
    let found = plan(&running, &builds[0], &builds[1], &showing(&ALL));
    running.on_committed(found.swap_plan().unwrap());
    // The page runs the first main; a slot that imports it by its second name would start the app again.
    let Plan::Refuse(refusals) = plan(&running, &builds[1], &builds[2], &showing(&ALL)) else {
        panic!("main would be evaluated a second time");
    };
    let refusal = only(&refusals, Why::SecondCopy);
    assert_eq!(refusal.root, ["cart", "main"]);
    // By its first name it is what the page has.
    let Plan::Swap(moves) = plan(&running, &builds[1], &builds[3], &showing(&ALL)) else {
        panic!("main has its first name again");
    };
    assert_eq!(moves.slots[0].pointer.slot, "cart");
    assert!(
        moves
            .fetch
            .iter()
            .all(|fetch| !fetch.file.contains("main-") || fetch.file.ends_with(".css"))
    );
}
