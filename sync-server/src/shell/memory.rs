//! What a long-running process keeps of the memory that it once needed: the settings of glibc's allocator.
//!
//! Refuses to count or to limit: it only tells the allocator how to keep what is free.

/// Parts of the allocator that threads share, at most: each part keeps free memory of its own, and the server has more
/// threads than cores.
const ARENAS: i32 = 2;

/// Lets all threads share few arenas. To be called before there are threads.
#[allow(unsafe_code)]
pub fn share_arenas() {
    // SAFETY: a foreign function that takes two numbers and touches only the allocator's own settings; it is called
    // before there are other threads. That it says no changes nothing.
    unsafe { libc::mallopt(libc::M_ARENA_MAX, ARENAS) };
}

/// Gives free memory back to the system, such as what reading the catalogue needed.
#[allow(unsafe_code)]
pub fn give_back() {
    // SAFETY: a foreign function that takes a number; glibc locks each arena while it looks at it.
    unsafe { libc::malloc_trim(0) };
}
