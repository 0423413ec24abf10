//! How specs, jobs, reports and replies read in JavaScript.

use js_sys::{Array, Object, Promise};
use wasm_bindgen::{JsCast, JsValue};

use crate::{
    engine::{
        lineage::{Lineage, content_hash},
        migration::{
            Edge, Loss, MigrationError, Outcome, Plan, Registry, StepRef, StoreReport, StoreSpec,
        },
        store::{DurableError, Reply, Seen, Stamp},
    },
    time::Timestamp,
    web::reflect,
};

pub(super) fn read_spec(spec: &JsValue) -> StoreSpec {
    let steps = reflect::property(spec, "steps").dyn_into::<Array>();
    let steps = steps.unwrap_or_default();
    let edges = steps.iter().map(|step| {
        let number = |name| reflect::number(&step, name).map_or(0, |it| it as u32);
        let flag = |name| reflect::property(&step, name).is_truthy();
        let mut edge = Edge::new(number("from"), number("to"), StepRef(number("up")));
        edge.down = reflect::number(&step, "down").map(|it| StepRef(it as u32));
        edge.lossy_up = flag("lossyUp");
        edge.lossy_down = flag("lossyDown");
        edge.cost = number("cost");
        edge.hash = reflect::text(&step, "id").map_or(0, |id| content_hash(id.as_bytes()));
        edge
    });
    let reads = numbers(spec, "reads");
    StoreSpec {
        name: reflect::text(spec, "name").unwrap_or_default(),
        head: reflect::number(spec, "schema").map_or(0, |it| it as u32),
        edges: edges.collect(),
        reads: (!reads.is_empty()).then(|| reads.into_iter().map(|it| it as u32).collect()),
        allow_lossy: reflect::property(spec, "allowLossy").is_truthy(),
        accepts: numbers(spec, "accepts"),
    }
}

/// From what is stored to the head, or from the head to `to`.
pub(super) fn plan_of(
    registry: &Registry,
    job: &JsValue,
    loss: Loss,
) -> Result<Plan, MigrationError> {
    let store = reflect::text(job, "store").unwrap_or_default();
    let number = |name| reflect::number(job, name).map(|it| it as u32);
    let from = match number("from") {
        Some(from) => from,
        None => registry.head(&store)?,
    };
    let lineage = reflect::text(job, "lineage").and_then(|it| Lineage::read(&it));
    let lineage = lineage.unwrap_or_default();
    match number("to") {
        None => registry.plan_stored(&store, from, &lineage, loss),
        Some(to) => {
            registry.check_lineage(&store, from, &lineage)?;
            registry.plan(&store, from, to, loss)
        }
    }
}

pub(super) fn reported(report: StoreReport) -> JsValue {
    let told = Object::new();
    reflect::set(&told, "store", &report.store.into());
    reflect::set(&told, "from", &report.from.into());
    reflect::set(&told, "to", &report.to.into());
    reflect::set(&told, "lossy", &report.lossy.into());
    let steps = report.steps.into_iter().map(|step| {
        let told = Object::new();
        reflect::set(&told, "name", &step.name.to_text().into());
        reflect::set(&told, "lossy", &step.lossy.into());
        reflect::set(&told, "took", &(step.took as f64).into());
        told
    });
    reflect::set(&told, "steps", &steps.collect::<Array>());
    let error = match report.outcome {
        Outcome::Ready => JsValue::NULL,
        Outcome::Failed(error) => thrown(error),
    };
    reflect::set(&told, "error", &error);
    told.into()
}

pub(super) fn replied(reply: Reply<JsValue>) -> JsValue {
    let stamped = |value: &JsValue, stamp: Stamp| {
        let number = |it: u64| JsValue::from(it as f64);
        Array::of3(value, &number(stamp.writer), &number(stamp.count))
    };
    match reply {
        Reply::Value(None) | Reply::Written(_) | Reply::Deleted => JsValue::UNDEFINED,
        Reply::Value(Some((value, stamp))) => stamped(&value, stamp).into(),
        Reply::Rows { rows, last } => {
            let rows = rows
                .into_iter()
                .map(|(key, value, _)| Array::of2(&key.into(), &value));
            Array::of2(&rows.collect::<Array>(), &last.into()).into()
        }
    }
}

pub(super) fn read_seen(seen: &JsValue) -> Option<Seen> {
    if seen.is_undefined() {
        return None;
    }
    let stamp = seen.dyn_ref::<Array>().and_then(|pair| {
        Some(Stamp {
            writer: reflect::whole(&pair.get(0))?,
            count: reflect::whole(&pair.get(1))?,
        })
    });
    Some(Seen(stamp))
}

/// What `stores.js` makes an error of.
pub(super) fn thrown(error: MigrationError) -> JsValue {
    reflect::to_js(&error)
}

pub(super) fn thrown_durable(error: &DurableError, store: &str) -> JsValue {
    let told = Object::new();
    reflect::set(&told, "code", &error.code().into());
    reflect::set(&told, "message", &error.sentence().into());
    reflect::set(&told, "store", &store.into());
    if let Some(why) = error.untranslated() {
        for (name, text) in [("step", &why.step), ("path", &why.path)] {
            let text = text.as_deref().map_or(JsValue::NULL, JsValue::from);
            reflect::set(&told, name, &text);
        }
    }
    told.into()
}

pub(super) fn promised(begin: impl FnOnce(Box<dyn FnOnce(JsValue)>)) -> Promise {
    let mut begin = Some(begin);
    Promise::new(&mut |resolve, _| {
        if let Some(begin) = begin.take() {
            begin(Box::new(move |value| {
                let _ = resolve.call1(&JsValue::UNDEFINED, &value);
            }));
        }
    })
}

pub(super) fn values(made: JsValue) -> Vec<JsValue> {
    made.dyn_into::<Array>().unwrap_or_default().to_vec()
}

pub(super) fn text(value: &JsValue) -> String {
    value.as_string().unwrap_or_default()
}

pub(super) fn whole(value: &JsValue) -> Option<u32> {
    reflect::whole(value).map(|it| it as u32)
}

pub(super) fn numbers(of: &JsValue, name: &str) -> Vec<u64> {
    let list = reflect::property(of, name).dyn_into::<Array>();
    let list = list.unwrap_or_default();
    list.iter().filter_map(|it| reflect::whole(&it)).collect()
}

pub(super) fn count(number: usize) -> JsValue {
    JsValue::from(number as f64)
}

pub(super) fn now() -> Timestamp {
    Timestamp(js_sys::Date::now() as u64)
}
