// The sample in Rust, with the standard library only.
use std::collections::BTreeMap;
use std::os::raw::{c_int, c_ulong, c_void};

#[repr(C)]
#[derive(Clone, Copy)]
struct Header {
    kind: u32,
    flags: u32,
    offset: u64,
    vaddr: u64,
    paddr: u64,
    filesz: u64,
    memsz: u64,
    align: u64,
}

#[repr(C)]
struct Info {
    addr: u64,
    name: *const u8,
    phdr: *const Header,
    phnum: u16,
}

extern "C" {
    fn getauxval(kind: c_ulong) -> c_ulong;
    fn dl_iterate_phdr(f: extern "C" fn(*mut Info, usize, *mut c_void) -> c_int, data: *mut c_void) -> c_int;
}

// The first object is the program.
extern "C" fn first(info: *mut Info, _size: usize, to: *mut c_void) -> c_int {
    unsafe {
        let to = to as *mut (u64, Vec<Header>);
        let i = &*info;
        *to = (i.addr, std::slice::from_raw_parts(i.phdr, i.phnum as usize).to_vec());
    }
    1
}

fn iterated() -> (u64, Vec<Header>) {
    let mut out: (u64, Vec<Header>) = (0, Vec::new());
    unsafe { dl_iterate_phdr(first, &mut out as *mut _ as *mut c_void) };
    out
}

fn auxv() -> (u64, Vec<Header>) {
    unsafe {
        let (at, n) = (getauxval(3), getauxval(5));
        let list = std::slice::from_raw_parts(at as *const Header, n as usize).to_vec();
        let bias = list.iter().find(|h| h.kind == 6).map_or(iterated().0, |h| at - h.vaddr);
        (bias, list)
    }
}

fn checksum(bias: u64, h: &Header) -> u32 {
    let bytes = unsafe { std::slice::from_raw_parts((bias + h.vaddr) as *const u8, h.memsz as usize) };
    bytes.iter().fold(2166136261u32, |s, b| (s ^ *b as u32).wrapping_mul(16777619))
}

fn find(kind: u32) -> i32 {
    let mut status = 1;
    for (by, (bias, list)) in [("dl_iterate_phdr", iterated()), ("getauxval", auxv())] {
        let hits: Vec<_> = list.iter().filter(|h| h.kind == kind).collect();
        for h in &hits {
            println!("{} vaddr {:#x} size {} checksum {:08x}", by, h.vaddr, h.memsz, checksum(bias, h));
            status = 0;
        }
        if hits.is_empty() {
            println!("{} not found", by);
        }
    }
    status
}

fn arena(kind: u32) -> i32 {
    let (bias, list) = iterated();
    match list.iter().find(|h| h.kind == kind) {
        None => {
            println!("arena not found");
            1
        }
        Some(h) => {
            let m = unsafe { std::slice::from_raw_parts_mut((bias + h.vaddr) as *mut u8, h.memsz as usize) };
            if m.iter().any(|b| *b != 0) {
                println!("FAILED: arena is not zero");
                return 1;
            }
            for (i, b) in m.iter_mut().enumerate() {
                *b = (i * 7) as u8;
            }
            println!("arena size {} ok", m.len());
            0
        }
    }
}

thread_local!(static LOCAL: std::cell::Cell<i32> = const { std::cell::Cell::new(42) });

fn selftest(args: &[String]) -> i32 {
    let list: String = args[1..].iter().map(|a| format!(" {}", a)).collect();
    println!("args {}:{}", args.len() - 1, list);
    println!("env {}", std::env::var("SAMPLE_ENV").unwrap_or("absent".into()));
    let sums: Vec<i32> = (0..4)
        .map(|i| std::thread::spawn(move || { LOCAL.with(|l| { l.set(l.get() + i); l.get() }) }))
        .map(|t| t.join().unwrap())
        .collect();
    println!("threads {:?}", sums);
    std::panic::set_hook(Box::new(|_| ()));
    let caught = std::panic::catch_unwind(|| { let v: Vec<i32> = Vec::new(); v[args_len()] });
    println!("unwind {}", caught.is_err());
    let map: BTreeMap<_, _> = args.iter().skip(1).map(|a| (a.len(), a)).collect();
    println!("map {:?}", map);
    println!("done");
    0
}

fn args_len() -> usize {
    std::env::args().count()
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let kind = args.get(2).map_or(0, |s| match s.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16).unwrap_or(0),
        None => s.parse().unwrap_or(0),
    });
    std::process::exit(match args.get(1).map(String::as_str) {
        Some("find") => find(kind),
        Some("arena") => arena(kind),
        Some("exit") => kind as i32,
        _ => selftest(&args),
    });
}
