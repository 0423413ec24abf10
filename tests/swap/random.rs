//! Random apps and edits: a plan either makes the page what a fresh load of the target is, or there is no way to do it.

use std::collections::{BTreeMap, BTreeSet};

use changeover::engine::{
    manifest::Manifest,
    swap::{Composition, Plan, SwapPlan, Use, Why},
};
use proptest::prelude::*;

use crate::{
    app::{App, Module, module, plan, slot},
    page::{Picture, Server, Tab, reached, styles_of},
};

/// A change between two builds. Numbers choose among what is there.
#[derive(Clone, Debug)]
pub enum Edit {
    Text(usize),
    Style(usize, u32),
    Import(usize, usize),
    Later(usize, usize),
    Drop(usize, usize),
    Export(usize),
    Html,
    Epoch,
}

pub fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let (from, to) = (0_usize..9, 0_usize..9);
    let edit = prop_oneof![
        16 => from.clone().prop_map(Edit::Text),
        3 => (from.clone(), 0_u32..3).prop_map(|(from, text)| Edit::Style(from, text)),
        3 => (from.clone(), to.clone()).prop_map(|(from, to)| Edit::Import(from, to)),
        2 => (from.clone(), to.clone()).prop_map(|(from, to)| Edit::Later(from, to)),
        2 => (from.clone(), to).prop_map(|(from, to)| Edit::Drop(from, to)),
        1 => from.prop_map(Edit::Export),
        1 => Just(Edit::Html),
        1 => Just(Edit::Epoch),
    ];
    prop::collection::vec(edit, 0..4)
}

/// Modules that import others with a higher number; the first is the entry, some are slots.
pub fn apps() -> impl Strategy<Value = App> {
    let module = (
        prop::collection::vec(0_usize..9, 0..4),
        prop::collection::vec(0_usize..9, 0..2),
        prop::option::weighted(0.3, 0_u32..3),
    );
    (
        prop::collection::vec(module, 4..9),
        prop::collection::btree_set(1_usize..9, 2..6),
        prop::option::weighted(0.5, 1_usize..9),
        prop::bool::weighted(0.15),
        any::<bool>(),
    )
        .prop_map(|(modules, slots, pinned, plain_names, styles_rename)| {
            let count = modules.len();
            let mut app = App {
                epoch: 1,
                base: "/".into(),
                entries: vec!["m0".into()],
                plain_names,
                styles_rename,
                ..App::default()
            };
            for (at, (imports, later, css)) in modules.into_iter().enumerate() {
                // The shell imports little, or every edit would be one of the shell.
                let most = if at == 0 { 1 } else { 3 };
                let above = |list: Vec<usize>| {
                    let ids: BTreeSet<usize> = list
                        .into_iter()
                        .filter(|to| *to > at && *to < count)
                        .collect();
                    ids.into_iter().take(most).map(name).collect::<Vec<_>>()
                };
                let module = Module {
                    text: 1,
                    imports: above(imports),
                    later: above(later),
                    css,
                    ..Module::default()
                };
                app.modules.insert(name(at), module);
            }
            for at in slots.into_iter().filter(|at| *at < count) {
                app.slots.insert(format!("slot-{at}"), slot(&name(at)));
            }
            app.pinned.extend(pinned.filter(|at| *at < count).map(name));
            app
        })
}

pub fn edited(app: &App, edits: &[Edit]) -> App {
    let count = app.modules.len();
    let mut app = app.clone();
    for edit in edits {
        match *edit {
            Edit::Text(at) => app.module(&name(at % count)).text += 1,
            Edit::Style(at, text) => app.module(&name(at % count)).css = Some(text),
            Edit::Export(at) => {
                let module = app.module(&name(at % count));
                module.exports.push(format!("e{}", module.exports.len()));
            }
            Edit::Html => app.html += 1,
            Edit::Epoch => app.epoch += 1,
            Edit::Import(from, to) | Edit::Later(from, to) | Edit::Drop(from, to) => {
                let (from, to) = (from % count, to % count);
                if from >= to {
                    continue;
                }
                let module = app.module(&name(from));
                module.imports.retain(|import| *import != name(to));
                module.later.retain(|import| *import != name(to));
                match edit {
                    Edit::Import(..) => module.imports.push(name(to)),
                    Edit::Later(..) => module.later.push(name(to)),
                    _ => {}
                }
            }
        }
    }
    app
}

fn name(at: usize) -> String {
    format!("m{at}")
}

pub fn uses() -> impl Strategy<Value = Vec<Option<Use>>> {
    let used = prop_oneof![
        3 => Just(None),
        2 => Just(Some(Use::Idle)),
        5 => Just(Some(Use::Mounted)),
        2 => Just(Some(Use::Taken)),
    ];
    prop::collection::vec(used, 5)
}

pub fn apply_uses(tab: &mut Tab, uses: &[Option<Use>], build: &Manifest, server: &Server) {
    let slots: Vec<String> = tab.pointers.keys().cloned().collect();
    for (slot, used) in slots.iter().zip(uses.iter().cycle()) {
        tab.use_slot(slot, *used, build, server);
    }
}

/// Whether some choice of pointers makes the page what a fresh load is: tries them all.
pub fn oracle(tab: &Tab, base: &Manifest, target: &Manifest, server: &Server, html: bool) -> bool {
    if base.epoch != target.epoch || !html || base.base != target.base {
        return false;
    }
    // What the shell has loaded cannot ask for other styles than it was built with.
    let later = |build: &Manifest| {
        let styles = |later| styles_of(build, build.entries.iter(), later);
        let (all, first) = (styles(true), styles(false));
        let later = all
            .difference(&first)
            .map(|style| (style.clone(), build.chunks[style].integrity.clone()));
        later.collect::<BTreeSet<_>>()
    };
    if later(base) != later(target) {
        return false;
    }
    let fresh = Tab::open(target, server);
    let is_taken = |slot: &String| matches!(tab.running.get(slot), Some((Use::Taken, _)));
    let movable: Vec<&String> = target.slots.keys().filter(|slot| !is_taken(slot)).collect();
    let stuck: BTreeSet<String> = target
        .slots
        .keys()
        .filter(|name| is_taken(name) && !tab.runs(name, target))
        .cloned()
        .collect();
    (0..1_u32 << movable.len()).any(|choice| {
        let mut tab = tab.clone();
        for (bit, slot) in movable.iter().enumerate() {
            if choice & (1 << bit) != 0 {
                let file = target.slots[slot].file.clone();
                if let Some((_, running)) = tab.running.get_mut(*slot) {
                    running.clone_from(&file);
                }
                tab.import(&file, server);
                tab.pointers.insert((*slot).clone(), file);
            }
        }
        if movable
            .iter()
            .any(|slot| tab.pointers.get(*slot) != Some(&target.slots[*slot].file))
        {
            return false;
        }
        let movable: BTreeSet<String> = movable.iter().map(|slot| (*slot).clone()).collect();
        let mut after = tab.picture(server, &stuck);
        after.extend(tab.used(&movable, server));
        code(&after) == code(&fresh.picture(server, &stuck))
            && has_one_copy_each(&after, &tab.used(&stuck, server))
    })
}

/// The modules and what is in them, whatever their files are called.
fn code(picture: &Picture) -> BTreeSet<&(String, String)> {
    picture.values().collect()
}

/// Whether no module is there from two files, or with two contents.
fn has_one_copy_each(one: &Picture, other: &Picture) -> bool {
    let mut copies: BTreeMap<&String, BTreeSet<(&String, &String)>> = BTreeMap::new();
    for (path, (module, code)) in one.iter().chain(other) {
        copies.entry(module).or_default().insert((path, code));
    }
    copies.values().all(|copies| copies.len() == 1)
}

/// Executes a plan and looks at what became of the page.
pub fn check_moves(tab: &mut Tab, moves: &SwapPlan, target: &Manifest, server: &Server) {
    let requested = tab.execute(moves, server);
    let scripts: BTreeSet<String> = moves
        .fetch
        .iter()
        .map(|fetch| fetch.file.clone())
        .filter(|file| !file.ends_with(".css"))
        .collect();
    // Nothing comes into the page unverified, and nothing is fetched that is known to be there.
    let later = reached(target, target.entries.iter(), true);
    assert!(
        scripts.is_superset(&requested),
        "{requested:?} and {scripts:?}"
    );
    assert!(
        scripts
            .difference(&requested)
            .all(|file| later.contains(file)),
        "{requested:?} and {scripts:?}"
    );
    for fetch in &moves.fetch {
        assert_eq!(fetch.integrity, target.chunks[&fetch.file].integrity);
    }
    let fresh = Tab::open(target, server);
    let stuck: BTreeSet<String> = tab
        .running
        .keys()
        .filter(|name| match tab.running[*name].0 {
            Use::Taken => !tab.runs(name, target),
            Use::Idle | Use::Mounted => tab.is_behind(name, target),
        })
        .cloned()
        .collect();
    for slot in &stuck {
        assert_eq!(tab.running[slot].0, Use::Taken, "{slot} runs old code");
    }
    let free: BTreeSet<String> = tab
        .running
        .keys()
        .filter(|name| !stuck.contains(*name))
        .cloned()
        .collect();
    let mut after = tab.picture(server, &stuck);
    after.extend(tab.used(&free, server));
    assert_eq!(code(&after), code(&fresh.picture(server, &stuck)));
    assert!(has_one_copy_each(&after, &tab.used(&stuck, server)));
    if stuck.is_empty() {
        let used = tab.running.values().map(|(_, file)| file);
        let needed = styles_of(target, target.entries.iter().chain(used), false);
        // It is not known what the shell has loaded since it started.
        let shell = styles_of(target, target.entries.iter(), true);
        assert!(
            tab.styles.is_superset(&needed),
            "{:?} lacks of {needed:?}",
            tab.styles
        );
        let rest: Vec<_> = tab
            .styles
            .difference(&needed)
            .filter(|style| !shell.contains(*style))
            .collect();
        assert!(rest.is_empty(), "{rest:?} was left behind");
    }
}

/// Refusals that are conservative by design. Where names do not follow content, it is not known what of the shell was
/// loaded before it was replaced.
fn is_cautious(found: &Plan, plain_names: bool) -> bool {
    let Plan::Refuse(refusals) = found else {
        return false;
    };
    refusals.iter().all(|refusal| match refusal.why {
        Why::PinnedChanged | Why::FileReplaced => true,
        Why::ShellChanged | Why::SecondCopy | Why::SignatureMissing => plain_names,
        _ => false,
    })
}

pub fn check_step(
    running: &Composition,
    tab: &Tab,
    base: &Manifest,
    target: &Manifest,
    server: &Server,
) -> Plan {
    let found = plan(running, base, target, &tab.page());
    let possible = oracle(tab, base, target, server, base.html == target.html);
    match &found {
        Plan::Refuse(refusals) => {
            assert!(
                !possible || is_cautious(&found, target.entries == ["assets/m0.js"]),
                "refused, and there is a way: {refusals:?}"
            );
            for refusal in refusals {
                let way = &refusal.root;
                let ends = way.last() == refusal.module.as_ref();
                assert!(ends, "{refusal:?}");
                assert!(
                    refusal.module.is_some()
                        || matches!(refusal.why, Why::HtmlChanged | Why::EpochChanged),
                    "{refusal:?}"
                );
            }
        }
        Plan::Nothing(_) | Plan::Styles(_) | Plan::Swap(_) => {
            assert!(possible, "there is no way, and the plan is {found:?}");
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_makes_the_page_what_a_fresh_load_is_or_there_is_no_way(
        app in apps(),
        edits in edits(),
        uses in uses(),
    ) {
        let (base, target) = (app.build("a"), edited(&app, &edits).build("b"));
        let mut server = Server::default();
        server.publish(&base);
        let mut tab = Tab::open(&base, &server);
        apply_uses(&mut tab, &uses, &base, &server);
        server.publish(&target);
        let running = Composition::new(base.id.clone());
        let found = check_step(&running, &tab, &base, &target, &server);
        if let Some(moves) = found.swap_plan() {
            check_moves(&mut tab, moves, &target, &server);
        }
    }
}

#[test]
fn what_is_planned_at_random_is_of_every_kind() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let mut seen = BTreeMap::new();
    for _ in 0..1_500 {
        let draw = (apps(), edits(), uses()).new_tree(&mut runner).unwrap();
        let (app, edits, uses) = draw.current();
        let (base, target) = (app.build("a"), edited(&app, &edits).build("b"));
        let mut server = Server::default();
        server.publish(&base);
        let mut tab = Tab::open(&base, &server);
        apply_uses(&mut tab, &uses, &base, &server);
        let found = plan(
            &Composition::new(base.id.clone()),
            &base,
            &target,
            &tab.page(),
        );
        let kinds: Vec<&str> = match &found {
            Plan::Nothing(moves) if moves.stale.is_empty() => vec!["nothing"],
            Plan::Nothing(_) => vec!["stays"],
            Plan::Styles(_) => vec!["styles"],
            Plan::Swap(moves) if moves.slots.is_empty() => vec!["pointers"],
            Plan::Swap(_) => vec!["swap"],
            Plan::Refuse(refusals) => refusals.iter().map(|refusal| refusal.why.code()).collect(),
        };
        for kind in kinds {
            *seen.entry(kind).or_insert(0) += 1;
        }
    }
    for kind in [
        "nothing",
        "stays",
        "styles",
        "pointers",
        "swap",
        "entryChanged",
        "shellChanged",
        "htmlChanged",
        "epochChanged",
        "secondCopy",
        "pinnedChanged",
        "fileReplaced",
    ] {
        assert!(
            seen.get(kind).is_some_and(|count| *count >= 5),
            "{kind} is too rare: {seen:?}"
        );
    }
}

#[test]
fn a_slot_that_is_in_the_shell_keeps_running_when_only_a_name_of_a_style_in_it_changed() {
    let later = Module {
        later: vec!["m3".into()],
        ..module(1, &["m3"])
    };
    let modules = [
        ("m0", module(1, &["m1"])),
        ("m1", later),
        ("m2", module(1, &[])),
        ("m3", module(1, &[])),
    ];
    let app = App {
        modules: modules
            .into_iter()
            .map(|(id, module)| (id.into(), module))
            .collect(),
        entries: vec!["m0".into()],
        slots: [1, 2]
            .map(|at| (format!("slot-{at}"), slot(&name(at))))
            .into(),
        epoch: 1,
        base: "/".into(),
        plain_names: true,
        ..App::default()
    };
    for used in [Use::Idle, Use::Mounted] {
        let (base, target) = (
            app.build("a"),
            edited(&app, &[Edit::Style(3, 0)]).build("b"),
        );
        let mut server = Server::default();
        server.publish(&base);
        let mut tab = Tab::open(&base, &server);
        tab.use_slot("slot-1", Some(used), &base, &server);
        server.publish(&target);
        let running = Composition::new(base.id.clone());
        let found = check_step(&running, &tab, &base, &target, &server);
        check_moves(&mut tab, found.swap_plan().unwrap(), &target, &server);
    }
}
