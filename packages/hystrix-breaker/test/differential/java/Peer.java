import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.netflix.concurrency.limits.limit.AIMDLimit;
import com.netflix.concurrency.limits.limit.AbstractLimit;
import com.netflix.concurrency.limits.limit.Gradient2Limit;
import com.netflix.concurrency.limits.limit.VegasLimit;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.reflect.Field;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Answers the port's `trace` (preset resilience4j) and `limit`, a JSON line each, by the real classes. */
public class Peer {
  private static final ObjectMapper JSON = new ObjectMapper();

  public static void main(String[] args) throws IOException {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    for (String line; (line = in.readLine()) != null; ) {
      JsonNode question = JSON.readTree(line);
      System.out.println(question.path("op").asText().equals("limit") ? limits(question) : trace(question));
    }
  }

  private static ObjectNode trace(JsonNode question) {
    long[] now = {0};
    Clock clock = new Clock() {
      public ZoneId getZone() { return ZoneOffset.UTC; }
      public Clock withZone(ZoneId zone) { return this; }
      public Instant instant() { return Instant.ofEpochMilli(now[0]); }
    };
    CircuitBreaker breaker = CircuitBreaker.of("peer", config(question.get("options"), clock, now));
    Map<String, Long> calls = new HashMap<>();
    ObjectNode answer = JSON.createObjectNode();
    ArrayNode steps = answer.putArray("steps");
    for (JsonNode event : question.get("events")) {
      now[0] = event.get("at").asLong();
      ObjectNode step = JSON.createObjectNode();
      String call = event.path("call").asText();
      switch (event.get("do").asText()) {
        case "acquire" -> {
          boolean permitted = breaker.tryAcquirePermission();
          if (permitted) calls.put(call, now[0]);
          step.put("permitted", permitted);
        }
        case "success" -> {
          Long since = calls.remove(call);
          if (since != null) breaker.onSuccess(now[0] - since, TimeUnit.MILLISECONDS);
        }
        case "failure" -> {
          Long since = calls.remove(call);
          if (since != null) breaker.onError(now[0] - since, TimeUnit.MILLISECONDS, new IOException("failed"));
        }
        case "ignore" -> {
          if (calls.remove(call) != null) breaker.releasePermission();
        }
        case "force-open" -> breaker.transitionToForcedOpenState();
        case "force-closed" -> breaker.transitionToMetricsOnlyState();
        case "disable" -> breaker.transitionToDisabledState();
        case "reset" -> breaker.reset();
        default -> throw new IllegalArgumentException(event.toString());
      }
      step.put("state", breaker.getState().name().toLowerCase().replace('_', '-'));
      steps.add(step);
    }
    return answer;
  }

  private static CircuitBreakerConfig config(JsonNode o, Clock clock, long[] now) {
    return CircuitBreakerConfig.custom()
        .clock(clock)
        .currentTimestampFunction(ignored -> now[0], TimeUnit.MILLISECONDS)
        .slidingWindow(o.path("slidingWindowSize").asInt(100), o.path("minimumNumberOfCalls").asInt(100),
            CircuitBreakerConfig.SlidingWindowType.valueOf(o.path("slidingWindowType").asText("COUNT_BASED")))
        .failureRateThreshold((float) o.path("failureRateThreshold").asDouble(50))
        .slowCallRateThreshold((float) o.path("slowCallRateThreshold").asDouble(100))
        .slowCallDurationThreshold(Duration.ofMillis(o.path("slowCallDurationThreshold").asLong(60_000)))
        .waitDurationInOpenState(Duration.ofMillis(o.path("waitDurationInOpenState").asLong(60_000)))
        .permittedNumberOfCallsInHalfOpenState(o.path("permittedNumberOfCallsInHalfOpenState").asInt(10))
        .build();
  }

  private static ObjectNode limits(JsonNode question) {
    AbstractLimit limit = limit(question.get("kind").asText(), question.get("options"));
    ObjectNode answer = JSON.createObjectNode();
    ArrayNode limits = answer.putArray("limits");
    for (JsonNode sample : question.get("samples")) {
      if (limit instanceof VegasLimit) fixJitter((VegasLimit) limit);
      limit.onSample(
          TimeUnit.MILLISECONDS.toNanos(sample.get("at").asLong()),
          TimeUnit.MILLISECONDS.toNanos(sample.get("rtt").asLong()),
          sample.get("inflight").asInt(),
          sample.get("dropped").asBoolean());
      limits.add(limit.getLimit());
    }
    return answer;
  }

  /** VegasLimit draws from 0.5 to 1 when it next looks at the round trip without load; the port takes the middle. */
  private static void fixJitter(VegasLimit limit) {
    try {
      Field jitter = VegasLimit.class.getDeclaredField("probeJitter");
      jitter.setAccessible(true);
      jitter.setDouble(limit, 0.75);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  private static AbstractLimit limit(String kind, JsonNode o) {
    return switch (kind) {
      case "aimd" -> AIMDLimit.newBuilder()
          .initialLimit(o.path("initialLimit").asInt(20)).minLimit(o.path("minLimit").asInt(20))
          .maxLimit(o.path("maxLimit").asInt(200)).backoffRatio(o.path("backoffRatio").asDouble(0.9))
          .timeout(o.path("timeout").asLong(5000), TimeUnit.MILLISECONDS).build();
      case "gradient2" -> Gradient2Limit.newBuilder()
          .initialLimit(o.path("initialLimit").asInt(20)).minLimit(o.path("minLimit").asInt(20))
          .maxConcurrency(o.path("maxConcurrency").asInt(200)).smoothing(o.path("smoothing").asDouble(0.2))
          .queueSize(o.path("queueSize").asInt(4)).longWindow(o.path("longWindow").asInt(600))
          .rttTolerance(o.path("rttTolerance").asDouble(1.5)).build();
      case "vegas" -> VegasLimit.newBuilder()
          .initialLimit(o.path("initialLimit").asInt(20)).maxConcurrency(o.path("maxConcurrency").asInt(1000))
          .smoothing(o.path("smoothing").asDouble(1)).probeMultiplier(o.path("probeMultiplier").asInt(30)).build();
      default -> throw new IllegalArgumentException(kind);
    };
  }
}
