-- Tables, strings and coroutines; a line for each round.
local function source()
	local state = 1
	while true do
		state = (state * 1103515245 + 12345) % 2147483648
		coroutine.yield(state)
	end
end
local next_number = coroutine.wrap(source)
local count = {}
for round = 1, 80 do
	local parts = {}
	for i = 1, 4000 do
		local key = "k" .. next_number() % 3000
		count[key] = (count[key] or 0) + 1
		parts[#parts + 1] = key
	end
	table.sort(parts)
	local text, sum = table.concat(parts), 0
	for i = 1, #text, 7 do
		sum = (sum * 31 + text:byte(i)) % 1000003
	end
	print(round, sum, parts[100])
	if round % 3 == 0 then io.stdout:flush() end
end
