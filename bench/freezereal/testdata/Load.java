// Threads that make garbage beside a map that stays, and a line for each round.
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

public class Load {
	static long work(int n) {
		Map<String, long[]> map = new HashMap<>();
		long sum = 0;
		for (int i = 0; i < 3000; i++) {
			map.put("key " + (i * 7 + n) % 1000, new long[] {i, n, sum});
			sum = sum * 31 + map.get("key " + (i * 7 + n) % 1000)[0];
		}
		return sum + map.size();
	}

	public static void main(String[] args) throws Exception {
		Map<Integer, byte[]> kept = new HashMap<>();
		ExecutorService pool = Executors.newFixedThreadPool(3);
		long sum = 0;
		for (int round = 0; round < 80; round++) {
			final int n = round;
			Future<Long> a = pool.submit(() -> work(n)), b = pool.submit(() -> work(n + 1000));
			for (int i = 0; i < 2000; i++)
				kept.put((round * 2000 + i) % 20000, new byte[200 + i % 300]);
			sum = sum * 17 + a.get() + b.get();
			System.out.println(round + " " + sum + " " + kept.size());
			Thread.sleep(2);
		}
		pool.shutdown();
	}
}
