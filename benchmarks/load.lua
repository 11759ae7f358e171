-- wrk script: POSTs the body in $BENCH_BODY_FILE, "COUNTER" replaced by a new number each time; prints one line of JSON.
local file = assert(io.open(os.getenv("BENCH_BODY_FILE"), "r"))
local body = file:read("*a")
file:close()
local head, tail = body:match("^(.-)COUNTER(.*)$")
local counter = tonumber(os.getenv("BENCH_FIRST_COUNTER") or "0")
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
wrk.headers["accept"] = "application/json"

function init(args)
   whole = wrk.format(nil, nil, nil, body)
end

function request()
   if head == nil then
      return whole
   end
   counter = counter + 1
   return wrk.format(nil, nil, nil, head .. counter .. tail)
end

function done(summary, latency, requests)
   local errors = summary.errors
   local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
   io.write(string.format(
      'RESULT {"requests":%d,"microseconds":%d,"failed":%d,"bytes":%d,"p50_ms":%.3f,"p95_ms":%.3f,"p99_ms":%.3f}\n',
      summary.requests, summary.duration, failed, summary.bytes,
      latency:percentile(50) / 1000, latency:percentile(95) / 1000, latency:percentile(99) / 1000))
end
