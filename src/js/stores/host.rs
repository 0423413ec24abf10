//! What the engine asks of the app for one store: its steps, and a place for its news.

use std::{cell::RefCell, rc::Rc};

use js_sys::{Array, Function, Object, Promise};
use wasm_bindgen::{JsCast, JsValue};

use super::convert::{count, replied, thrown_durable, values};
use crate::{
    engine::{
        migration::{Loss, MigrationError, Registry},
        store::{DurableError, Hop, LocalCopy, Mode, Reply, TranslationPlan, Untranslated},
    },
    web::{
        callback::on_settled,
        reflect,
        store_driver::{App, Progress, Translated},
    },
};

/// The object that `stores.js` hands in for each store.
pub(super) struct JsApp {
    pub host: JsValue,
    pub store: String,
    pub registry: Rc<RefCell<Registry>>,
}

impl JsApp {
    fn tell(&self, method: &str, arguments: &Array) {
        if let Ok(method) = reflect::property(&self.host, method).dyn_into::<Function>() {
            let _ = method.apply(&self.host, arguments);
        }
    }

    /// The recipes as JavaScript reads them: `[value, [[steps, ours?], …]]`, where `ours` is `[value, there]` with the
    /// steps to where it is known below, and from there to where the hop begins.
    fn written(&self, recipes: Vec<TranslationPlan<JsValue>>) -> Result<Array, MigrationError> {
        let mut ways = Vec::<((u32, u32), Array)>::new();
        let mut way = |from: u32, to: u32| -> Result<Array, MigrationError> {
            if let Some((_, steps)) = ways.iter().find(|(ends, _)| *ends == (from, to)) {
                return Ok(steps.clone());
            }
            let registry = self.registry.borrow();
            let plan = registry.plan(&self.store, from, to, Loss::Accept)?;
            let steps: Array = plan
                .steps
                .iter()
                .map(|it| JsValue::from(it.run.0))
                .collect();
            ways.push(((from, to), steps.clone()));
            Ok(steps)
        };
        let all = Array::new();
        for recipe in recipes {
            let hops = Array::new();
            for Hop { from, to, ours } in recipe.hops {
                let steps = way(from, to)?;
                let hop = Array::of1(&steps);
                if let Some(LocalCopy { value, base }) = ours {
                    let mut there = way(to, base)?;
                    if base != from {
                        there = there.concat(&way(base, from)?);
                    }
                    hop.push(&Array::of2(&value, &there));
                }
                hops.push(&hop);
            }
            all.push(&Array::of2(&recipe.value, &hops));
        }
        Ok(all)
    }
}

impl App for JsApp {
    fn translate(
        &self,
        recipes: Vec<TranslationPlan<JsValue>>,
        check: Option<u32>,
        done: Translated,
    ) {
        let own = self.registry.borrow().head(&self.store).ok();
        let end = |it: &TranslationPlan<JsValue>| it.hops.last().map_or(it.schema, |hop| hop.to);
        let read = own.filter(|own| recipes.iter().all(|it| end(it) == *own));
        let recipes = match self.written(recipes) {
            Ok(recipes) => recipes,
            Err(error) => {
                return done(Err((0, error.sentence().into())));
            }
        };
        let schema = check.or(read).map_or(JsValue::UNDEFINED, JsValue::from);
        let arguments = Array::of3(&recipes, &schema, &check.is_some().into());
        let answer = reflect::property(&self.host, "translate")
            .dyn_into::<Function>()
            .and_then(|method| method.apply(&self.host, &arguments));
        let failed = |error: JsValue| {
            let place = reflect::number(&error, "place").unwrap_or_default();
            let message = reflect::text(&error, "message");
            let why = Untranslated {
                message: message.unwrap_or_else(|| "the page's own translation failed".into()),
                step: reflect::text(&error, "step"),
                path: reflect::text(&error, "path"),
            };
            (place as usize, why)
        };
        match answer {
            Err(error) => done(Err(failed(error))),
            Ok(answer) => match answer.dyn_into::<Promise>() {
                Ok(promise) => on_settled(&promise, move |made| {
                    done(made.map(values).map_err(failed));
                }),
                Err(made) => done(Ok(values(made))),
            },
        }
    }

    fn on_reply(&self, id: u32, result: Result<Reply<JsValue>, DurableError>) {
        let (error, value) = match result {
            Err(error) => (thrown_durable(&error, &self.store), JsValue::UNDEFINED),
            Ok(reply) => (JsValue::NULL, replied(reply)),
        };
        self.tell("reply", &Array::of3(&id.into(), &error, &value));
    }

    fn on_mode(&self, mode: &Mode) {
        let (kind, reason, message) = match mode {
            Mode::ReadWrite | Mode::ReadWriteThroughDown => ("readWrite", None, None),
            Mode::ReadOnly { reason } => ("readOnly", Some(reason.code()), Some(reason.sentence())),
            Mode::UseBackup { .. } => ("backup", Some("left"), None),
            Mode::Refuse { reason } => ("refused", Some(reason.code()), Some(reason.sentence())),
        };
        let reason = reason.map_or(JsValue::NULL, JsValue::from);
        let message = message.map_or(JsValue::NULL, JsValue::from);
        self.tell("mode", &Array::of3(&kind.into(), &reason, &message));
    }

    fn on_problem(&self, error: &DurableError) {
        self.tell("problem", &Array::of1(&thrown_durable(error, &self.store)));
    }

    fn on_progress(&self, progress: &Progress) {
        let told = Object::new();
        reflect::set(&told, "store", &self.store.as_str().into());
        reflect::set(&told, "from", &progress.from.into());
        reflect::set(&told, "to", &progress.to.into());
        reflect::set(&told, "phase", &progress.phase.into());
        reflect::set(&told, "done", &count(progress.done));
        self.tell("progress", &Array::of1(&told));
    }

    fn on_change(&self, key: Option<&str>, value: Option<JsValue>) {
        let key = key.map_or(JsValue::NULL, JsValue::from);
        let value = value.unwrap_or(JsValue::UNDEFINED);
        self.tell("change", &Array::of2(&key, &value));
    }
}
