import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import io.github.resilience4j.bulkhead.BulkheadFullException;
import io.github.resilience4j.bulkhead.ThreadPoolBulkhead;
import io.github.resilience4j.bulkhead.ThreadPoolBulkheadConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.common.CompositeCustomizer;
import io.github.resilience4j.core.functions.Either;
import io.github.resilience4j.retry.Retry;
import io.github.resilience4j.retry.RetryConfig;
import io.github.resilience4j.retry.internal.RetryImpl;
import io.github.resilience4j.springboot3.bulkhead.autoconfigure.BulkheadProperties;
import io.github.resilience4j.springboot3.bulkhead.autoconfigure.ThreadPoolBulkheadProperties;
import io.github.resilience4j.springboot3.circuitbreaker.autoconfigure.CircuitBreakerProperties;
import io.github.resilience4j.springboot3.retry.autoconfigure.RetryProperties;
import io.github.resilience4j.springboot3.timelimiter.autoconfigure.TimeLimiterProperties;
import io.github.resilience4j.timelimiter.TimeLimiter;
import io.github.resilience4j.timelimiter.TimeLimiterConfig;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeoutException;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.env.YamlPropertySourceLoader;
import org.springframework.core.env.MutablePropertySources;
import org.springframework.core.env.PropertySource;
import org.springframework.core.io.ByteArrayResource;

/**
 * Reads a YAML file as Spring Boot does for resilience4j, and answers, a JSON line each, what resilience4j makes of its
 * instance `a`: the figures of the configuration, and what the running class does with it.
 */
public class YamlPeer {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final ExecutorService THREADS = Executors.newCachedThreadPool();

  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    for (String line; (line = in.readLine()) != null; ) {
      JsonNode question = JSON.readTree(line);
      ObjectNode answer;
      try {
        answer = answer(question);
      } catch (Refused e) {
        answer = JSON.createObjectNode().put("invalid", true);
      }
      System.out.println(answer);
    }
    System.exit(0);
  }

  private static class Refused extends Exception {}

  private interface Figures<T> {
    T make() throws Exception;
  }

  /** What a file is refused for, and not what goes wrong here. */
  private static <T> T read(Figures<T> figures) throws Refused {
    try {
      return figures.make();
    } catch (Exception e) {
      throw new Refused();
    }
  }

  private static ObjectNode answer(JsonNode question) throws Exception {
    Binder binder = binder(question.get("yaml").asText());
    return switch (question.get("part").asText()) {
      case "circuitbreaker" -> circuitBreaker(binder, question);
      case "retry" -> retry(binder, question);
      case "bulkhead" -> bulkhead(binder, question);
      case "thread-pool-bulkhead" -> threadPool(binder);
      case "timelimiter" -> timeLimiter(binder, question);
      default -> throw new IllegalArgumentException(question.toString());
    };
  }

  private static Binder binder(String yaml) throws IOException {
    MutablePropertySources sources = new MutablePropertySources();
    ByteArrayResource file = new ByteArrayResource(yaml.getBytes(StandardCharsets.UTF_8));
    for (PropertySource<?> source : new YamlPropertySourceLoader().load("file", file)) sources.addLast(source);
    return new Binder(ConfigurationPropertySources.from(sources));
  }

  private static <T> T bound(Binder binder, String part, Class<T> properties) {
    return binder.bindOrCreate("resilience4j." + part, Bindable.of(properties));
  }

  private static ObjectNode circuitBreaker(Binder binder, JsonNode question) throws Exception {
    CircuitBreakerConfig config = read(() -> {
      CircuitBreakerProperties properties = bound(binder, "circuitbreaker", CircuitBreakerProperties.class);
      return properties.createCircuitBreakerConfig("a", properties.getInstances().get("a"), new CompositeCustomizer<>(List.of()));
    });
    ObjectNode answer = JSON.createObjectNode();
    answer.put("failureRateThreshold", config.getFailureRateThreshold());
    answer.put("slowCallRateThreshold", config.getSlowCallRateThreshold());
    answer.put("slowCallDurationThreshold", config.getSlowCallDurationThreshold().toMillis());
    answer.put("permittedNumberOfCallsInHalfOpenState", config.getPermittedNumberOfCallsInHalfOpenState());
    answer.put("maxWaitDurationInHalfOpenState", config.getMaxWaitDurationInHalfOpenState().toMillis());
    answer.put("transitionToStateAfterWaitDuration", config.getTransitionToStateAfterWaitDuration().name());
    answer.put("slidingWindowType", config.getSlidingWindowType().name());
    answer.put("slidingWindowSize", config.getSlidingWindowSize());
    answer.put("minimumNumberOfCalls", config.getMinimumNumberOfCalls());
    answer.put("automaticTransitionFromOpenToHalfOpenEnabled", config.isAutomaticTransitionFromOpenToHalfOpenEnabled());
    seed(question);
    ArrayNode waits = answer.putArray("waits");
    for (int attempt = 1; attempt <= 6; attempt++)
      waits.add(config.getWaitIntervalFunctionInOpenState().apply(attempt));
    return answer;
  }

  /** A run whose work fails `failures` times, by the class itself, whose sleeps take no time. */
  private static ObjectNode retry(Binder binder, JsonNode question) throws Exception {
    RetryConfig config = read(() -> {
      RetryConfig made =
          bound(binder, "retry", RetryProperties.class).createRetryConfig("a", new CompositeCustomizer<>(List.of()));
      // Some waits that cannot be are only refused when they are asked for.
      made.getIntervalBiFunction().apply(1, Either.left(new IOException()));
      return made;
    });
    ObjectNode answer = JSON.createObjectNode();
    ArrayNode waits = answer.putArray("waits");
    RetryImpl.setSleepFunction(waits::add);
    seed(question);
    int[] calls = {0};
    try {
      Retry.of("a", config).executeCallable(() -> {
        if (++calls[0] <= question.get("failures").asInt()) throw new IOException("failed");
        return calls[0];
      });
      answer.put("answered", true);
    } catch (IOException e) {
      answer.put("answered", false);
    }
    return answer.put("calls", calls[0]);
  }

  /** As many calls at once as `callers` says, each of which holds its place for `hold` ms. In real time where they wait. */
  private static ObjectNode bulkhead(Binder binder, JsonNode question) throws Exception {
    BulkheadConfig config = read(() -> {
      BulkheadProperties properties = bound(binder, "bulkhead", BulkheadProperties.class);
      return properties.createBulkheadConfig(properties.getInstances().get("a"), new CompositeCustomizer<>(List.of()), "a");
    });
    ObjectNode answer = JSON.createObjectNode();
    answer.put("maxConcurrentCalls", config.getMaxConcurrentCalls());
    answer.put("maxWaitDuration", config.getMaxWaitDuration().toMillis());
    if (!question.has("callers")) return answer;
    Bulkhead bulkhead = Bulkhead.of("a", config);
    List<CompletableFuture<Boolean>> calls = new ArrayList<>();
    for (int n = 0; n < question.get("callers").asInt(); n++)
      calls.add(CompletableFuture.supplyAsync(() -> {
        try {
          return bulkhead.executeCallable(() -> {
            Thread.sleep(question.get("hold").asLong());
            return true;
          });
        } catch (BulkheadFullException e) {
          return false;
        } catch (Exception e) {
          throw new IllegalStateException(e);
        }
      }, THREADS));
    long admitted = calls.stream().filter(CompletableFuture::join).count();
    return answer.put("admitted", admitted);
  }

  /** More calls at once than it takes, of which none ends before all have come. */
  private static ObjectNode threadPool(Binder binder) throws Exception {
    ThreadPoolBulkheadConfig config = read(() ->
        bound(binder, "thread-pool-bulkhead", ThreadPoolBulkheadProperties.class)
            .createThreadPoolBulkheadConfig("a", new CompositeCustomizer<>(List.of())));
    ObjectNode answer = JSON.createObjectNode();
    answer.put("maxThreadPoolSize", config.getMaxThreadPoolSize());
    answer.put("queueCapacity", config.getQueueCapacity());
    CountDownLatch all = new CountDownLatch(1);
    int admitted = 0;
    try (ThreadPoolBulkhead bulkhead = ThreadPoolBulkhead.of("a", config)) {
      for (int n = 0; n < config.getMaxThreadPoolSize() + config.getQueueCapacity() + 3; n++) {
        try {
          bulkhead.executeRunnable(() -> {
            try {
              all.await();
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
          });
          admitted++;
        } catch (BulkheadFullException e) {
          // One that is refused.
        }
      }
      all.countDown();
    }
    return answer.put("admitted", admitted);
  }

  /** Work of `takes` ms, in real time, where that is asked for. */
  private static ObjectNode timeLimiter(Binder binder, JsonNode question) throws Exception {
    TimeLimiterConfig config = read(() -> {
      TimeLimiterProperties properties = bound(binder, "timelimiter", TimeLimiterProperties.class);
      return properties.createTimeLimiterConfig("a", properties.getInstances().get("a"), new CompositeCustomizer<>(List.of()));
    });
    ObjectNode answer = JSON.createObjectNode();
    answer.put("timeoutDuration", config.getTimeoutDuration().toMillis());
    if (!question.has("takes")) return answer;
    try {
      TimeLimiter.of(config).executeFutureSupplier(() -> THREADS.submit(() -> {
        Thread.sleep(question.get("takes").asLong());
        return true;
      }));
      return answer.put("timedOut", false);
    } catch (TimeoutException e) {
      return answer.put("timedOut", true);
    }
  }

  /** Math.random() goes on from there. */
  private static void seed(JsonNode question) throws ReflectiveOperationException {
    Math.random();
    Field generator = Class.forName("java.lang.Math$RandomNumberGeneratorHolder").getDeclaredField("randomNumberGenerator");
    generator.setAccessible(true);
    ((Random) generator.get(null)).setSeed(question.get("seed").asLong());
  }
}
