-- wrk script: POSTs the requests of $BENCH_REQUESTS_FILE in turn, one a line as AUTHORIZATION<tab>ACCEPT<tab>BODY; "COUNTER"
-- in a body is replaced by a new number each time. Prints one line of JSON.
local requests, next_request = {}, 0
local counter = tonumber(os.getenv("BENCH_FIRST_COUNTER") or "0")
wrk.method = "POST"

local function prepared(line)
   local authorization, accept, body = line:match("^(.-)\t(.-)\t(.*)$")
   local headers = { ["content-type"] = "application/json", ["accept"] = accept }
   if authorization ~= "" then
      headers["authorization"] = authorization
   end
   local head, tail = body:match("^(.-)COUNTER(.*)$")
   if head == nil then
      local whole = wrk.format(nil, nil, headers, body)
      return function() return whole end
   end
   return function()
      counter = counter + 1
      return wrk.format(nil, nil, headers, head .. counter .. tail)
   end
end

function init(args)
   for line in io.lines(os.getenv("BENCH_REQUESTS_FILE")) do
      requests[#requests + 1] = prepared(line)
   end
end

function request()
   next_request = next_request % #requests + 1
   return requests[next_request]()
end

function done(summary, latency, _)
   local errors = summary.errors
   local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
   io.write(string.format(
      'RESULT {"requests":%d,"microseconds":%d,"failed":%d,"bytes":%d,"p50_ms":%.3f,"p95_ms":%.3f,"p99_ms":%.3f}\n',
      summary.requests, summary.duration, failed, summary.bytes,
      latency:percentile(50) / 1000, latency:percentile(95) / 1000, latency:percentile(99) / 1000))
end
