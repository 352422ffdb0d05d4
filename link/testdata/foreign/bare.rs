#![no_std]
#![no_main]
use core::arch::asm;
use core::fmt::Write;
core::arch::global_asm!(".globl _start", "_start: and rsp, -16", "call begin");
struct Out;
impl Write for Out {
    fn write_str(&mut self, s: &str) -> core::fmt::Result {
        unsafe { asm!("syscall", inlateout("rax") 1usize => _, in("rdi") 1, in("rsi") s.as_ptr(), in("rdx") s.len(), out("rcx") _, out("r11") _) };
        Ok(())
    }
}
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! { loop {} }
#[no_mangle]
pub extern "C" fn begin() -> ! {
    let xs = [3u32, 1, 2];
    let _ = writeln!(Out, "rust {:?} {}", xs, xs.iter().sum::<u32>());
    unsafe { asm!("syscall", in("rax") 60, in("rdi") 0, options(noreturn)) }
}
