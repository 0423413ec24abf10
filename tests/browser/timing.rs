//! Timers: on time however long they are, and harmless inside their own callback.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use changeover::web::callback::Timer;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{Replaced, eventually, js, sleep};

const DAY: u64 = 24 * 60 * 60 * 1000;

fn counter() -> (Rc<Cell<u32>>, impl Fn() + 'static) {
    let count = Rc::new(Cell::new(0));
    let mine = count.clone();
    (count, move || mine.set(mine.get() + 1))
}

#[wasm_bindgen_test]
fn a_timer_of_many_days_goes_off_after_all_of_them() {
    js("globalThis.armed = []");
    let _set = Replaced::new(
        "window",
        "setTimeout",
        "(run, ms) => armed.push({ run, ms })",
    );
    let (fired, count) = counter();
    let timer = Timer::new(count);
    timer.arm(60 * DAY);
    let mut waited = 0;
    for _ in 0..3 {
        assert_eq!(fired.get(), 0, "after {waited} ms");
        let ms = js("const { run, ms } = armed.shift(); run(); return ms");
        waited += ms.as_f64().unwrap() as u64;
    }
    assert_eq!((fired.get(), waited), (1, 60 * DAY));
    assert_eq!(js("return armed.length"), 0);
}

#[wasm_bindgen_test]
async fn a_timer_is_armed_anew_and_dropped_in_its_own_callback() {
    let (fired, count) = counter();
    let own: Rc<RefCell<Option<Timer>>> = Rc::default();
    let (again, times) = (own.clone(), fired.clone());
    own.replace(Some(Timer::new(move || {
        count();
        if times.get() < 3 {
            again.borrow().as_ref().unwrap().arm(1);
        } else {
            again.replace(None);
        }
    })));
    own.borrow().as_ref().unwrap().arm(1);
    eventually("three rounds", || own.borrow().is_none()).await;
    sleep(20).await;
    assert_eq!(fired.get(), 3);
}

#[wasm_bindgen_test]
async fn a_timer_that_is_cleared_armed_anew_or_dropped_does_not_go_off_as_before() {
    let (fired, count) = counter();
    let timer = Timer::new(count);
    timer.arm(1);
    timer.clear();
    sleep(20).await;
    assert_eq!(fired.get(), 0);
    timer.arm(1);
    timer.arm(30);
    sleep(10).await;
    assert_eq!(fired.get(), 0);
    eventually("the second time", || fired.get() == 1).await;
    timer.arm(1);
    drop(timer);
    sleep(20).await;
    assert_eq!(fired.get(), 1);
}
