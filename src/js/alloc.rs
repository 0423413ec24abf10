//! The allocator of the npm package: free lists of powers of two, over memory that only grows.
//!
//! The standard allocator returns memory better and costs 8 kB of code; this page guard holds little and lives in a
//! budget of 40. A block is never split or joined: what was freed serves the next request of its size.

use core::{
    alloc::{GlobalAlloc, Layout},
    arch::wasm32::{memory_grow, memory_size},
    cell::UnsafeCell,
    ptr::{copy_nonoverlapping, null_mut},
};

/// Blocks of 16 bytes to 2 GiB.
const CLASSES: usize = 32;
const SMALLEST: usize = 16;
const PAGE: usize = 64 << 10;

struct FreeLists(UnsafeCell<State>);

struct State {
    /// The first free block of each class; a free block begins with the address of the next.
    free: [*mut u8; CLASSES],
    /// Memory that was never handed out.
    fresh: usize,
    end: usize,
}

// SAFETY: the module is built without threads.
unsafe impl Sync for FreeLists {}

#[global_allocator]
static ALLOCATOR: FreeLists = FreeLists(UnsafeCell::new(State {
    free: [null_mut(); CLASSES],
    fresh: 0,
    end: 0,
}));

// SAFETY: a block is on one free list or handed out once; it is as large as its class says and aligned to 16 bytes,
// and a request for more alignment is refused. Nothing here allocates or calls out, so the state is never borrowed twice.
unsafe impl GlobalAlloc for FreeLists {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.align() > SMALLEST {
            return null_mut();
        }
        let class = class_of(layout.size());
        let state = unsafe { &mut *self.0.get() };
        let block = state.free[class];
        if block.is_null() {
            return state.carve(1 << class);
        }
        state.free[class] = unsafe { *block.cast() };
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let class = class_of(layout.size());
        let state = unsafe { &mut *self.0.get() };
        unsafe { *block.cast() = state.free[class] };
        state.free[class] = block;
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if class_of(size) == class_of(layout.size()) {
            return block;
        }
        let new = unsafe { self.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
        if !new.is_null() {
            unsafe {
                copy_nonoverlapping(block, new, size.min(layout.size()));
                self.dealloc(block, layout);
            }
        }
        new
    }
}

impl State {
    /// Takes a block from the memory that was never given out, growing it by whole pages.
    fn carve(&mut self, size: usize) -> *mut u8 {
        if self.end - self.fresh < size {
            let pages = size.div_ceil(PAGE);
            let start = memory_size(0) * PAGE;
            if memory_grow(0, pages) == usize::MAX {
                return null_mut();
            }
            // The rest of the last pages is still ours unless other code has grown the memory in between.
            if start != self.end {
                self.fresh = start;
            }
            self.end = start + pages * PAGE;
        }
        let block = self.fresh;
        self.fresh += size;
        block as *mut u8
    }
}

fn class_of(size: usize) -> usize {
    size.max(SMALLEST).next_power_of_two().trailing_zeros() as usize
}
