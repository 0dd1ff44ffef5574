-- Requests ranges at random offsets, by the viewers in turn, and prints one line of JSON at the end.
-- Arguments: bytes of a range, bytes of the file, a file of viewers (a line of headers each, with
-- tabs between them; may be empty).

local asked, next_one = {}, 0

function init(args)
   local length, size, viewers = tonumber(args[1]), tonumber(args[2]), {}
   for line in io.lines(args[3]) do viewers[#viewers + 1] = line end
   math.randomseed(os.time())
   for number = 1, math.max(2000, #viewers) do
      local headers = {}
      if length > 0 then
         local first = math.random(0, size - length)
         headers["Range"] = string.format("bytes=%.0f-%.0f", first, first + length - 1)
      end
      if #viewers > 0 then
         for name, value in viewers[(number - 1) % #viewers + 1]:gmatch("([^\t:]+): ([^\t]*)") do headers[name] = value end
      end
      asked[number] = wrk.format("GET", nil, headers)
   end
end

function request()
   next_one = next_one % #asked + 1
   return asked[next_one]
end

function done(summary, latency)
   local errors = summary.errors
   io.write(string.format(
      '{"seconds": %f, "requests": %d, "bytes": %.0f, "p50": %f, "p99": %f, "refused": %d, "broken": %d}\n',
      summary.duration / 1e6, summary.requests, summary.bytes, latency:percentile(50) / 1e3,
      latency:percentile(99) / 1e3, errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
