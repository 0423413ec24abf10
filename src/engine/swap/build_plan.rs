//! The last step of planning: what to fetch, which pointers and styles change, and what code is left dead.

use alloc::{string::String, vec, vec::Vec};

use super::{
    plan::{Planner, SlotDiff, is_style_of},
    refusal::{Refusal, Why},
    stale::StaleSlot,
    swap_plan::{Plan, SlotMove, SwapPlan},
};
use crate::engine::{
    graph::{Graph, Reach, Walk},
    slots::{Fetch, Pointer},
};
use crate::ids::Names;

impl<'a> Planner<'a> {
    /// There is a way: puts down what it takes.
    pub(super) fn build_plan(&self, diffs: &[SlotDiff<'a>], stale: Names<StaleSlot>) -> Plan {
        let (base, target) = (self.both.base.build, self.both.target.build);
        let base_shell = &self.old_shell;
        let all_of =
            |graph: &Graph<'_>, starts: &[usize]| graph.walk(starts, Reach::Static, &|_| false);
        let loaded = self
            .both
            .base
            .places(&mut diffs.iter().filter_map(SlotDiff::loaded));
        let loaded = all_of(&self.both.base, &loaded);
        let targets = |of: &dyn Fn(&SlotDiff<'a>) -> bool| {
            let diffs = diffs.iter().filter(|diff| of(diff));
            let starts = self
                .both
                .target
                .places(&mut diffs.map(|diff| &diff.to.file));
            all_of(&self.both.target, &starts)
        };
        let closure = targets(&|diff| diff.swaps());
        let live = targets(&|diff| diff.swaps() || diff.is_kept());
        let was_there = |place: usize| {
            self.both
                .same_in_base(place)
                .is_some_and(|twin| base_shell.has(twin) || loaded.has(twin))
        };
        let is_held = |path: &str, integrity: &str| {
            let mut stale = self.running.stale.values().chain(stale.values());
            stale.any(|stale_slot| {
                stale_slot
                    .files
                    .get(path)
                    .is_some_and(|file| file.is_loaded && file.integrity == integrity)
            })
        };
        let is_there = |path: &str, stale: &Names<StaleSlot>| {
            stale
                .values()
                .any(|stale_slot| stale_slot.files.contains_key(path))
        };

        let mut swap_plan = SwapPlan {
            from: self.running.build.clone(),
            to: target.id.clone(),
            slots: Vec::new(),
            moved: Vec::new(),
            stale: Names::new(),
            fetch: Vec::new(),
            styles_in: Vec::new(),
            styles_out: Vec::new(),
            total_bytes: 0,
            new_bytes: 0,
            dead_bytes: 0,
            revived_bytes: 0,
            revived: Vec::new(),
            gone: Vec::new(),
            caught_up: Vec::new(),
            aliases: self.aliases(),
            html: target.html.clone(),
        };

        // Each file once: what the slots need, then the styles of everything that is live.
        let styles = self.shell.order.iter().chain(&live.order);
        let mut listed = vec![false; target.chunks.len()];
        for (place, in_closure) in closure
            .order
            .iter()
            .map(|place| (*place, true))
            .chain(styles.map(|place| (*place, false)))
        {
            let Some((path, chunk)) = self.both.chunk(place) else {
                continue;
            };
            let is_style = is_style_of(chunk.kind);
            if in_closure {
                swap_plan.total_bytes += chunk.size;
            } else if !is_style {
                continue;
            }
            let Some(mark) = listed.get_mut(place).filter(|mark| !**mark) else {
                continue;
            };
            *mark = true;
            // Nothing gets here that needs a script of the shell by another name than it was loaded under.
            let is_code_of_shell = self.shell.has(place) && !is_style;
            if is_code_of_shell || was_there(place) || is_held(path, &chunk.integrity) {
                continue;
            }
            if is_style {
                swap_plan.styles_in.push(path.clone());
            } else if self.running.gone.get(path) == Some(&chunk.integrity) {
                swap_plan.revived_bytes += chunk.size;
                swap_plan.revived.push(path.clone());
                continue;
            }
            swap_plan.new_bytes += chunk.size;
            swap_plan.fetch.push(Fetch {
                file: path.clone(),
                integrity: chunk.integrity.clone(),
                size: chunk.size,
                kind: chunk.kind,
            });
        }

        // What is used no more.
        let is_live = |mate: Option<usize>| {
            mate.is_some_and(|place| self.whole_shell.has(place) || live.has(place))
        };
        let mut left = vec![false; base.chunks.len()];
        for place in base_shell.order.iter().chain(&loaded.order) {
            let Some((path, chunk)) = base.chunks.get_indexed(*place) else {
                continue;
            };
            let Some(mark) = left.get_mut(*place).filter(|mark| !**mark) else {
                continue;
            };
            *mark = true;
            // Whatever its name is now, a script of the shell stays.
            let is_code_of_shell = base_shell.has(*place) && !is_style_of(chunk.kind);
            if !is_code_of_shell
                && !is_live(self.both.same_in_target(*place))
                && !is_there(path, &stale)
            {
                let (path, integrity) = (path.clone(), chunk.integrity.clone());
                swap_plan.leave(path, integrity, chunk.size, is_style_of(chunk.kind));
            }
        }
        for (name, stale_slot) in &self.running.stale {
            if stale.contains_key(name) {
                continue;
            }
            for (path, file) in &stale_slot.files {
                let kept = target.chunks.get(path);
                let kept = kept.is_some_and(|chunk| chunk.integrity == file.integrity);
                let place = self.both.target.place(path).filter(|_| kept);
                let listed = swap_plan.gone.iter().any(|(gone, _)| gone == path);
                if file.is_loaded
                    && !listed
                    && !swap_plan.styles_out.contains(path)
                    && !is_live(place)
                    && !is_there(path, &stale)
                {
                    swap_plan.leave(
                        path.clone(),
                        file.integrity.clone(),
                        file.size,
                        file.is_style,
                    );
                }
            }
        }

        let restyled = self.has_new_styles();
        // Looking for them takes a walk for each slot.
        let has_styles = target
            .chunks
            .values()
            .enumerate()
            .any(|(place, chunk)| is_style_of(chunk.kind) && !self.shell.has(place));
        for diff in diffs {
            if diff.is_left() {
                continue;
            }
            if !diff.changed {
                if self.running.stale.contains_key(diff.name) {
                    swap_plan.caught_up.push(diff.name.clone());
                }
                if restyled && self.is_restyled(diff) {
                    swap_plan.moved.push(self.pointer(diff, has_styles));
                }
            } else if let Some(from) = diff.from.as_ref().filter(|_| diff.swaps()) {
                swap_plan.slots.push(SlotMove {
                    pointer: self.pointer(diff, has_styles),
                    kind: diff.to.kind,
                    from_file: from.file.clone(),
                    from_schema: from.schema,
                    to_schema: diff.to.schema,
                    root: self.both.cause(&diff.to.file),
                });
            } else {
                swap_plan.moved.push(self.pointer(diff, has_styles));
            }
        }
        swap_plan.stale = stale;
        self.within_budget(swap_plan, diffs)
    }

    fn within_budget(&self, swap_plan: SwapPlan, diffs: &[SlotDiff<'a>]) -> Plan {
        let budget = self.page.budget;
        let dead = self.running.dead_bytes + swap_plan.dead_bytes
            - swap_plan.revived_bytes.min(self.running.dead_bytes);
        let spent = self.running.generations >= budget.generations || dead > budget.dead_bytes;
        match swap_plan.slots.first() {
            Some(slot) if spent => {
                let why = Why::BudgetSpent;
                let refusal = Refusal::of_slot(why, &slot.pointer.slot, &slot.pointer.file);
                Plan::Refuse(
                    [Refusal {
                        root: slot.root.clone(),
                        ..refusal
                    }]
                    .into(),
                )
            }
            _ if diffs.iter().any(SlotDiff::moves) => Plan::Swap(swap_plan),
            _ if !swap_plan.moved.is_empty()
                || !swap_plan.styles_in.is_empty()
                || !swap_plan.styles_out.is_empty() =>
            {
                Plan::Styles(swap_plan)
            }
            _ => Plan::Nothing(swap_plan),
        }
    }

    fn aliases(&self) -> Names<String> {
        let scripts = self.whole_shell.order.iter().filter_map(|place| {
            let (path, chunk) = self.both.chunk(*place)?;
            let file = self.loaded_from(*place)?;
            let differs = file != path && !is_style_of(chunk.kind);
            differs.then(|| (chunk.id.clone(), file.clone()))
        });
        scripts.collect()
    }

    fn pointer(&self, diff: &SlotDiff<'a>, has_styles: bool) -> Pointer {
        let file = &diff.to.file;
        let css = has_styles.then(|| styles_of(&self.both.target, file, &self.shell));
        Pointer {
            slot: diff.name.clone(),
            file: file.clone(),
            css: css.unwrap_or_default(),
        }
    }

    /// Whether any style differs, so that slots whose code is the same are worth a look.
    fn has_new_styles(&self) -> bool {
        let is_style = |place: usize, graph: &Graph<'_>| {
            graph
                .chunk(place)
                .is_some_and(|(_, chunk)| is_style_of(chunk.kind))
        };
        let (base, target) = (&self.both.base, &self.both.target);
        (0..target.build.chunks.len())
            .any(|place| self.both.is_new(place) && is_style(place, target))
            || (0..base.build.chunks.len())
                .any(|place| self.both.same_in_target(place).is_none() && is_style(place, base))
    }

    fn is_restyled(&self, diff: &SlotDiff<'a>) -> bool {
        let file = &diff.to.file;
        styles_of(&self.both.base, file, &self.old_shell)
            != styles_of(&self.both.target, file, &self.shell)
    }
}

/// The styles of a slot beside the shell's.
fn styles_of(graph: &Graph<'_>, file: &String, shell: &Walk) -> Vec<String> {
    let start = graph.places(&mut [file].into_iter());
    let found = graph.walk(&start, Reach::Static, &|place| shell.has(place));
    found
        .order
        .iter()
        .filter_map(|place| graph.chunk(*place))
        .filter(|(_, chunk)| is_style_of(chunk.kind))
        .map(|(path, _)| path.clone())
        .collect()
}
