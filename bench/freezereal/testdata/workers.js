// Timers, promises and worker threads; the main thread prints what the workers
// answer, in order.
const { Worker, isMainThread, parentPort } = require('worker_threads');
const crypto = require('crypto');

if (!isMainThread) {
	parentPort.on('message', (n) => {
		let h = String(n);
		for (let i = 0; i < 400; i++) h = crypto.createHash('sha256').update(h).digest('hex');
		parentPort.postMessage([n, h.slice(0, 16), [...h].sort().join('').length]);
	});
} else {
	const jobs = 120;
	const workers = [0, 1, 2].map(() => new Worker(__filename));
	const waiting = new Map();
	let next = 0, sent = 0;
	let junk = [];
	const send = (w) => { if (sent < jobs) w.postMessage(sent++); };
	for (const w of workers) {
		w.on('message', ([n, h, k]) => {
			waiting.set(n, `${n} ${h} ${k}`);
			junk.push(Array.from({ length: 2000 }, (_, i) => ({ i, n })));
			if (junk.length > 20) junk = [];
			for (; waiting.has(next); next++) {
				console.log(waiting.get(next));
				waiting.delete(next);
			}
			setTimeout(send, 2, w);
			if (next === jobs) setTimeout(() => workers.forEach((x) => x.terminate()), 5);
		});
		send(w);
	}
}
