//! One transaction of the browser: it reads, has the engine evaluate what was read, and writes, all before the browser may
//! commit.

use std::{cell::RefCell, rc::Rc};

use wasm_bindgen::JsValue;
use web_sys::{IdbObjectStore, IdbRequest, IdbTransaction};

use super::requests::{MANY, ask_copies, failed, matched, pairs, perform, record, result, schemas};
use crate::{
    engine::{
        excerpt::quoted,
        format::ParseError,
        store::{Answer, Failure, Head, ReadSet, ReadValues, Record, Transaction, Write, evaluate},
    },
    web::{callback::Callback, clock::Clock},
};

/// How a transaction ended.
pub enum Outcome {
    /// It was judged and has committed.
    Judged(Answer<JsValue>),
    /// It did not commit; nothing was written.
    Failed(Failure),
    /// Its head cannot be read; nothing was written.
    HeadUnreadable(ParseError),
}

pub(super) type Done = Box<dyn FnOnce(Outcome)>;

/// A key, and the copies of its record.
type FoundRow = (String, Vec<Option<Record<JsValue>>>);

/// A head, and the text that it was read from.
pub(super) struct SeenHead {
    text: String,
    head: Head,
}

/// A transaction of the browser that has not ended.
pub(super) struct Running {
    pub(super) number: u32,
    pub(super) transaction: IdbTransaction,
    store: IdbObjectStore,
    pub(super) op: Transaction<JsValue>,
    reads: ReadSet,
    pub(super) asked: Vec<IdbRequest>,
    /// Requests for the copies of the scanned rows, made once their keys are known.
    copies: Vec<IdbRequest>,
    pub(super) answer: Option<Answer<JsValue>>,
    pub(super) failure: Option<Failure>,
    /// The head that the writes were evaluated with before it was read, and the answer.
    pub(super) guess: Option<(Rc<SeenHead>, Answer<JsValue>)>,
    /// The guess was wrong: once the transaction is aborted, it starts again.
    pub(super) mistaken: bool,
    pub(super) done: Done,
}

impl Running {
    pub(super) fn new(
        number: u32,
        transaction: IdbTransaction,
        store: IdbObjectStore,
        op: Transaction<JsValue>,
        reads: ReadSet,
        done: Done,
    ) -> Self {
        Self {
            number,
            transaction,
            store,
            op,
            reads,
            asked: Vec::new(),
            copies: Vec::new(),
            answer: None,
            failure: None,
            guess: None,
            mistaken: false,
            done,
        }
    }

    /// Listens to the last request only: requests are answered in order.
    pub(super) fn hear_last(&self, requests: &[IdbRequest], hear: &Callback) {
        if let Some(last) = requests.last() {
            last.set_onsuccess(Some(hear.function()));
        }
    }

    /// Stops listening to the transaction. What it wrote is still committed.
    pub(super) fn detach(&self) {
        self.transaction.set_oncomplete(None);
        self.transaction.set_onabort(None);
        for request in self.asked.iter().chain(&self.copies) {
            request.set_onsuccess(None);
        }
    }

    /// Writes at once if the writes depend only on the head, which has probably not changed since it was last read.
    pub(super) fn guess(&mut self, head: Option<Rc<SeenHead>>, clock: &Clock) {
        let plain = matches!(
            self.op,
            Transaction::Put { .. } | Transaction::Delete { .. }
        );
        let Some(seen) = head.filter(|_| plain && self.asked.len() == 1) else {
            return;
        };
        let verdict = evaluate(
            &self.op,
            ReadValues {
                now: clock.now(),
                head: Some(seen.head.clone()),
                records: Vec::new(),
                rows: Vec::new(),
            },
        );
        let changes_head = |write: &Write<JsValue>| matches!(write, Write::Head(_));
        if verdict.writes.is_empty() || verdict.writes.iter().any(changes_head) {
            return;
        }
        self.guess = Some((seen, verdict.answer));
        self.write(verdict.writes);
    }

    fn write(&mut self, writes: Vec<Write<JsValue>>) {
        for write in writes {
            if let Err(error) = perform(&self.store, &write) {
                self.give_up(&error);
                if let (Write::Put { key, .. }, Some(Failure::Failed { message })) =
                    (&write, &mut self.failure)
                {
                    *message = format!("{}: {message}", quoted(key));
                }
                return;
            }
        }
    }

    /// All requests were answered. Returns `None` if there is more to wait for.
    pub(super) fn on_read(
        &mut self,
        known: &RefCell<Option<Rc<SeenHead>>>,
        clock: &Clock,
        hear: &Callback,
    ) -> Option<Outcome> {
        let text = result(&self.asked[0]).as_string();
        if let Some((seen, answer)) = self.guess.take() {
            if text.as_ref() == Some(&seen.text) {
                self.answer = Some(answer);
            } else {
                self.mistaken = true;
                let _ = self.transaction.abort();
            }
            return None;
        }
        let rows = self.scanned(hear)?;
        let head = match head_of(text, known) {
            Ok(head) => head,
            Err(error) => return Some(Outcome::HeadUnreadable(error)),
        };
        let facts = ReadValues {
            now: clock.now(),
            head,
            records: self.records(),
            rows,
        };
        let verdict = evaluate(&self.op, facts);
        if verdict.writes.is_empty() {
            return Some(Outcome::Judged(verdict.answer));
        }
        self.answer = Some(verdict.answer);
        self.write(verdict.writes);
        None
    }

    /// Undoes all writes. The `abort` event ends the transaction.
    pub(super) fn give_up(&mut self, error: &JsValue) {
        self.failure = Some(failed(error));
        let _ = self.transaction.abort();
    }

    /// The rows of the scan with their copies, or `None` while the copies are being read.
    fn scanned(&mut self, hear: &Callback) -> Option<Vec<FoundRow>> {
        let Some(scan) = &self.reads.scan else {
            return Some(Vec::new());
        };
        let places = self.asked.len() - 2;
        let rows = pairs(&self.asked[places], &self.asked[places + 1]);
        if self.copies.is_empty() && !rows.is_empty() && !scan.also.is_empty() {
            match ask_copies(&self.store, scan, &rows) {
                Ok(requests) => self.copies = requests,
                Err(error) => self.give_up(&error),
            }
            self.hear_last(&self.copies, hear);
            return None;
        }
        Some(self.rows(rows))
    }

    /// Each row with its own record first, then the copies of the other schemas.
    fn rows(&self, rows: Vec<(String, JsValue)>) -> Vec<FoundRow> {
        let keys: Vec<&String> = rows.iter().map(|(key, _)| key).collect();
        let copies = self.copies.chunks(2).map(|pair| match pair {
            [names, values] => matched(&keys, pairs(names, values)),
            _ => Vec::new(),
        });
        let mut copies: Vec<Vec<Option<Record<JsValue>>>> = copies.collect();
        let all = rows.iter().enumerate().map(|(place, (key, value))| {
            let own = [record(value)].into_iter();
            let others = copies.iter_mut();
            let others = others.map(|it| it.get_mut(place).and_then(Option::take));
            (key.clone(), own.chain(others).collect())
        });
        all.collect()
    }

    /// The records that were read, in the order of [`ReadSet::records`].
    fn records(&self) -> Vec<Option<Record<JsValue>>> {
        let wanted = &self.reads.records;
        if wanted.len() < MANY {
            let found = self.asked[1..=wanted.len()].iter();
            return found.map(|request| record(&result(request))).collect();
        }
        let mut records: Vec<Option<Record<JsValue>>> = wanted.iter().map(|_| None).collect();
        for (place, schema) in schemas(wanted).into_iter().enumerate() {
            let of_schema: Vec<usize> = (0..wanted.len())
                .filter(|at| wanted[*at].0 == schema)
                .collect();
            let keys: Vec<&String> = of_schema.iter().map(|at| &wanted[*at].1).collect();
            let first = 1 + 2 * place;
            let found = matched(&keys, pairs(&self.asked[first], &self.asked[first + 1]));
            for (at, found) in of_schema.into_iter().zip(found) {
                records[at] = found;
            }
        }
        records
    }
}

/// The head in this text; the one that was seen last is not read again.
fn head_of(
    text: Option<String>,
    known: &RefCell<Option<Rc<SeenHead>>>,
) -> Result<Option<Head>, ParseError> {
    let Some(text) = text else { return Ok(None) };
    let seen = known.borrow().clone();
    if let Some(seen) = seen.filter(|seen| seen.text == text) {
        return Ok(Some(seen.head.clone()));
    }
    let head = Head::read(&text)?;
    known.replace(Some(Rc::new(SeenHead {
        text,
        head: head.clone(),
    })));
    Ok(Some(head))
}
