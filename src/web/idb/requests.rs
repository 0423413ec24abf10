//! What a transaction asks of the browser, and how its answers read.

use js_sys::Array;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{IdbKeyRange, IdbObjectStore, IdbRequest};

use crate::engine::store::{Failure, ReadSet, Record, ScanRead, Stamp, Write};
use crate::web::reflect;

const HEAD: &str = "head";
/// From so many records on, neighbours are read as ranges instead of one by one.
pub(super) const MANY: usize = 8;

/// Asks for the head, then the records, then the rows of the scan.
pub(super) fn ask(store: &IdbObjectStore, reads: &ReadSet) -> Result<Vec<IdbRequest>, JsValue> {
    let mut requests = Vec::from([store.get(&HEAD.into())?]);
    let wanted = &reads.records;
    if wanted.len() < MANY {
        for (schema, key) in wanted {
            requests.push(store.get(&name(*schema, key))?);
        }
    } else {
        for schema in schemas(wanted) {
            let mut keys = wanted.iter().filter(|it| it.0 == schema).map(|it| &it.1);
            let first = keys.next();
            if let (Some(first), Some(last)) = (first, keys.next_back().or(first)) {
                requests.extend(ask_range(store, schema, first, last)?);
            }
        }
    }
    if let Some(scan) = &reads.scan {
        let range = range(scan.schema, scan.after.as_deref())?;
        let limit = u32::try_from(scan.limit).unwrap_or(u32::MAX);
        requests.push(store.get_all_keys_with_key_and_limit(&range, limit)?);
        requests.push(store.get_all_with_key_and_limit(&range, limit)?);
    }
    Ok(requests)
}

/// Asks for the copies of rows, for each schema their keys and their values.
pub(super) fn ask_copies(
    store: &IdbObjectStore,
    scan: &ScanRead,
    rows: &[(String, JsValue)],
) -> Result<Vec<IdbRequest>, JsValue> {
    let mut requests = Vec::new();
    if let (Some((first, _)), Some((last, _))) = (rows.first(), rows.last()) {
        for schema in &scan.also {
            requests.extend(ask_range(store, *schema, first, last)?);
        }
    }
    Ok(requests)
}

pub(super) fn ask_range(
    store: &IdbObjectStore,
    schema: u32,
    first: &str,
    last: &str,
) -> Result<[IdbRequest; 2], JsValue> {
    let range = IdbKeyRange::bound(&name(schema, first), &name(schema, last))?;
    Ok([
        store.get_all_keys_with_key(&range)?,
        store.get_all_with_key(&range)?,
    ])
}

pub(super) fn perform(
    store: &IdbObjectStore,
    write: &Write<JsValue>,
) -> Result<IdbRequest, JsValue> {
    match write {
        Write::Head(head) => store.put_with_key(&head.to_json().into(), &HEAD.into()),
        Write::Put {
            schema,
            key,
            record,
        } => {
            let Record {
                stamp: Stamp { writer, count },
                epoch,
                value,
            } = record;
            let number = |it: &u64| JsValue::from(*it as f64);
            let fields = Array::of4(&number(writer), &number(count), &number(epoch), value);
            store.put_with_key(&fields, &name(*schema, key))
        }
        Write::Delete { schema, key } => store.delete(&name(*schema, key)),
        Write::Clear { schema } => store.delete(&range(*schema, None)?.into()),
    }
}

pub(super) fn name(schema: u32, key: &str) -> JsValue {
    format!("{}:{key}", schema).into()
}

/// All records of a schema after a key, no other schema's: `;` comes next after `:`.
pub(super) fn range(schema: u32, after: Option<&str>) -> Result<IdbKeyRange, JsValue> {
    let lower = name(schema, after.unwrap_or_default());
    let upper = format!("{};", schema);
    IdbKeyRange::bound_with_lower_open_and_upper_open(&lower, &upper.into(), true, true)
}

/// The different schemas of a list, in the order they appear.
pub(super) fn schemas(wanted: &[(u32, String)]) -> Vec<u32> {
    let mut schemas = Vec::new();
    for (schema, _) in wanted {
        if !schemas.contains(schema) {
            schemas.push(*schema);
        }
    }
    schemas
}

pub(super) fn result(request: &IdbRequest) -> JsValue {
    request.result().unwrap_or(JsValue::UNDEFINED)
}

/// Keys and values that were read with two requests, in key order.
pub(super) fn pairs(names: &IdbRequest, values: &IdbRequest) -> Vec<(String, JsValue)> {
    let array = |request| result(request).dyn_into::<Array>().unwrap_or_default();
    let (names, values) = (array(names), array(values));
    let keys = names.iter().map(|name| {
        let name = name.as_string().unwrap_or_default();
        let colon = name.find(":").map_or(0, |at| at + 1);
        name.get(colon..).unwrap_or_default().to_owned()
    });
    keys.zip(values.iter()).collect()
}

/// For each of `keys` its record, if it was found; both are in the order of the database.
pub(super) fn matched(
    keys: &[&String],
    found: Vec<(String, JsValue)>,
) -> Vec<Option<Record<JsValue>>> {
    let mut rest = found.as_slice();
    let one = |key: &&String| {
        // What lies between the keys was not asked for.
        let place = rest.iter().position(|(name, _)| name == *key)?;
        let value = &rest[place].1;
        rest = &rest[place + 1..];
        record(value)
    };
    keys.iter().map(one).collect()
}

pub(super) fn record(value: &JsValue) -> Option<Record<JsValue>> {
    let fields: &Array = value.dyn_ref()?;
    let number = |place| fields.get(place).as_f64().map(|it| it as u64);
    Some(Record {
        stamp: Stamp {
            writer: number(0)?,
            count: number(1)?,
        },
        epoch: number(2)?,
        value: fields.get(3),
    })
}

pub(super) fn failed(error: &JsValue) -> Failure {
    match reflect::text(error, "name").as_deref() {
        Some("QuotaExceededError") => Failure::Quota,
        _ => Failure::Failed {
            message: told(error),
        },
    }
}

/// What an error of the database says.
pub(super) fn told(error: &JsValue) -> String {
    let name = reflect::text(error, "name");
    let message = reflect::text(error, "message").filter(|text| !text.is_empty());
    message
        .or(name)
        .unwrap_or_else(|| "the browser does not say why".into())
}
