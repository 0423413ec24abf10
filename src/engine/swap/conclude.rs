use alloc::{string::String, vec, vec::Vec};

use super::{
    moves::{Moves, Plan, SlotMove},
    plan::{Case, Planner, is_style_of},
    refusal::{Refusal, Why},
    stay::Stay,
};
use crate::engine::{
    graph::{Graph, Reach, Walk},
    names::Names,
    slots::{Fetch, Pointer},
};

impl<'a> Planner<'a> {
    /// There is a way: puts down what it takes.
    pub(super) fn conclude(&self, cases: &[Case<'a>], stays: Names<Stay>) -> Plan {
        let (base, target) = (self.both.base.build, self.both.target.build);
        let base_shell = &self.old_shell;
        let all_of =
            |graph: &Graph<'_>, starts: &[usize]| graph.walk(starts, Reach::Static, &|_| false);
        let loaded = self
            .both
            .base
            .places(&mut cases.iter().filter_map(Case::loaded));
        let loaded = all_of(&self.both.base, &loaded);
        let targets = |of: &dyn Fn(&Case<'a>) -> bool| {
            let cases = cases.iter().filter(|case| of(case));
            let starts = self
                .both
                .target
                .places(&mut cases.map(|case| &case.to.file));
            all_of(&self.both.target, &starts)
        };
        let closure = targets(&|case| case.swaps());
        let live = targets(&|case| case.swaps() || case.is_kept());
        let was_there = |place: usize| {
            self.both
                .twin(place)
                .is_some_and(|twin| base_shell.has(twin) || loaded.has(twin))
        };
        let is_held = |path: &str, integrity: &str| {
            let mut stays = self.running.stays.values().chain(stays.values());
            stays.any(|stay| {
                stay.files
                    .get(path)
                    .is_some_and(|file| file.is_loaded && file.integrity == integrity)
            })
        };
        let is_there = |path: &str, stays: &Names<Stay>| {
            stays.values().any(|stay| stay.files.contains_key(path))
        };

        let mut moves = Moves {
            from: self.running.build.clone(),
            to: target.id.clone(),
            slots: Vec::new(),
            moved: Vec::new(),
            stays: Names::new(),
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
                moves.total_bytes += chunk.size;
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
                moves.styles_in.push(path.clone());
            } else if self.running.gone.get(path) == Some(&chunk.integrity) {
                moves.revived_bytes += chunk.size;
                moves.revived.push(path.clone());
                continue;
            }
            moves.new_bytes += chunk.size;
            moves.fetch.push(Fetch {
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
            let Some((path, chunk)) = base.chunks.nth(*place) else {
                continue;
            };
            let Some(mark) = left.get_mut(*place).filter(|mark| !**mark) else {
                continue;
            };
            *mark = true;
            // Whatever its name is now, a script of the shell stays.
            let is_code_of_shell = base_shell.has(*place) && !is_style_of(chunk.kind);
            if !is_code_of_shell && !is_live(self.both.mate(*place)) && !is_there(path, &stays) {
                let (path, integrity) = (path.clone(), chunk.integrity.clone());
                moves.leave(path, integrity, chunk.size, is_style_of(chunk.kind));
            }
        }
        for (name, stay) in &self.running.stays {
            if stays.contains_key(name) {
                continue;
            }
            for (path, file) in &stay.files {
                let kept = target.chunks.get(path);
                let kept = kept.is_some_and(|chunk| chunk.integrity == file.integrity);
                let place = self.both.target.place(path).filter(|_| kept);
                let listed = moves.gone.iter().any(|(gone, _)| gone == path);
                if file.is_loaded
                    && !listed
                    && !moves.styles_out.contains(path)
                    && !is_live(place)
                    && !is_there(path, &stays)
                {
                    moves.leave(
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
        for case in cases {
            if case.is_left() {
                continue;
            }
            if !case.changed {
                if self.running.stays.contains_key(case.name) {
                    moves.caught_up.push(case.name.clone());
                }
                if restyled && self.is_restyled(case) {
                    moves.moved.push(self.pointer(case, has_styles));
                }
            } else if let Some(from) = case.from.as_ref().filter(|_| case.swaps()) {
                moves.slots.push(SlotMove {
                    pointer: self.pointer(case, has_styles),
                    kind: case.to.kind,
                    from_file: from.file.clone(),
                    from_schema: from.schema,
                    to_schema: case.to.schema,
                    root: self.both.cause(&case.to.file),
                });
            } else {
                moves.moved.push(self.pointer(case, has_styles));
            }
        }
        moves.stays = stays;
        self.within_budget(moves, cases)
    }

    fn within_budget(&self, moves: Moves, cases: &[Case<'a>]) -> Plan {
        let budget = self.page.budget;
        let dead = self.running.dead_bytes + moves.dead_bytes
            - moves.revived_bytes.min(self.running.dead_bytes);
        let spent = self.running.generations >= budget.generations || dead > budget.dead_bytes;
        match moves.slots.first() {
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
            _ if cases.iter().any(Case::moves) => Plan::Swap(moves),
            _ if !moves.moved.is_empty()
                || !moves.styles_in.is_empty()
                || !moves.styles_out.is_empty() =>
            {
                Plan::Styles(moves)
            }
            _ => Plan::Nothing(moves),
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

    fn pointer(&self, case: &Case<'a>, has_styles: bool) -> Pointer {
        let file = &case.to.file;
        let css = has_styles.then(|| styles_of(&self.both.target, file, &self.shell));
        Pointer {
            slot: case.name.clone(),
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
                .any(|place| self.both.mate(place).is_none() && is_style(place, base))
    }

    fn is_restyled(&self, case: &Case<'a>) -> bool {
        let file = &case.to.file;
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
