# Fibers, threads, hashes and garbage; a line for each round.
require 'digest'
source = Fiber.new do
  state = 1
  loop { Fiber.yield(state = (state * 1_103_515_245 + 12_345) % 2**31) }
end
queue = SizedQueue.new(4)
worker = Thread.new { 60.times { |i| queue << [i, Digest::SHA256.hexdigest((1..400).map { source.alive? ? i : 0 }.join(','))] } }
kept = Hash.new(0)
60.times do |round|
  1500.times { kept[(source.resume % 5000).to_s] += 1 }
  i, digest = queue.pop
  puts "#{round} #{i} #{digest[0, 16]} #{kept.size} #{kept.values.sum { |v| v * v }}"
  $stdout.flush if round.even?
end
worker.join
