// tokio with three threads: tasks, channels, timers, a pair of sockets, a listener that
// nobody comes to, and blocking work; the main task prints in order.
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UnixStream};
use tokio::sync::mpsc;
use tokio::time::{sleep, Duration};

fn mix(mut v: u64) -> u64 {
    for _ in 0..100_000 {
        v = v.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
    }
    v
}

#[tokio::main(flavor = "multi_thread", worker_threads = 3)]
async fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    let (mut near, mut far) = UnixStream::pair().unwrap();
    tokio::spawn(async move {
        let mut b = [0u8; 8];
        while far.read_exact(&mut b).await.is_ok() {
            let v = mix(u64::from_le_bytes(b));
            far.write_all(&v.to_le_bytes()).await.unwrap();
        }
    });
    let mut sources = Vec::new();
    for n in 0..5u64 {
        let (tx, rx) = mpsc::channel::<u64>(2);
        sources.push(rx);
        tokio::spawn(async move {
            for i in 0..60u64 {
                sleep(Duration::from_millis(n + 1)).await;
                let v = tokio::task::spawn_blocking(move || mix(i * 5 + n)).await.unwrap();
                tx.send(v).await.unwrap();
            }
        });
    }
    for round in 0..60 {
        for rx in &mut sources {
            let v = rx.recv().await.unwrap();
            near.write_all(&v.to_le_bytes()).await.unwrap();
            let mut b = [0u8; 8];
            near.read_exact(&mut b).await.unwrap();
            println!("{} {} {}", round, v, u64::from_le_bytes(b));
        }
    }
    std::process::exit(6);
}
