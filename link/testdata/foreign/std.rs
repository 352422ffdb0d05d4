// Threads, thread-local variables, unwinding and formatting.
use std::cell::Cell;
use std::collections::HashMap;

thread_local!(static COUNT: Cell<u32> = Cell::new(5));

fn main() {
    std::panic::set_hook(Box::new(|_| ()));
    let mut m = HashMap::new();
    m.insert("a", 1);
    let t = std::thread::spawn(move || COUNT.with(|c| c.get()) + m["a"]);
    println!("std {}", t.join().unwrap());
    println!("{}", std::panic::catch_unwind(|| panic!("boom")).is_err());
}
