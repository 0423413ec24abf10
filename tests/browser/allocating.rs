//! The allocator of the npm package, which serves this test as well.

use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn blocks_never_overlap_whatever_is_allocated_grown_and_freed() {
    let mut seed = 7_u32;
    let mut random = move |below: usize| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as usize % below
    };
    let mut held: Vec<Vec<u8>> = Vec::new();
    for turn in 0..20_000_usize {
        match random(4) {
            0 | 1 => {
                let size = 1 << random(13);
                held.push(vec![turn as u8; 1 + random(size)]);
            }
            2 if !held.is_empty() => {
                let index = random(held.len());
                let fill = held[index][0];
                let more = held[index].len() + random(5_000);
                held[index].resize(more, fill);
            }
            _ if held.len() > 50 => drop(held.swap_remove(random(held.len()))),
            _ => {}
        }
    }
    assert!(held.len() > 1_000);
    for block in held {
        assert!(block.iter().all(|byte| *byte == block[0]));
    }
}

#[wasm_bindgen_test]
fn what_is_freed_is_used_again() {
    let pages = core::arch::wasm32::memory_size(0);
    for _ in 0..1_000 {
        drop(vec![1_u8; 1 << 20]);
    }
    assert!(core::arch::wasm32::memory_size(0) - pages <= 16);
}
