package com.netflix.hystrix.util;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.netflix.config.ConfigurationManager;
import com.netflix.hystrix.HystrixCommand;
import com.netflix.hystrix.HystrixCommandGroupKey;
import com.netflix.hystrix.HystrixCommandKey;
import com.netflix.hystrix.HystrixEventType;
import com.netflix.hystrix.exception.HystrixBadRequestException;
import com.netflix.hystrix.exception.HystrixRuntimeException;
import com.netflix.hystrix.strategy.concurrency.HystrixRequestContext;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Answers the port's `command`, in real time, and `percentile`, a JSON line each, by Hystrix itself. In its package for
 * the sake of HystrixRollingPercentile.PercentileSnapshot.
 */
public class CommandPeer {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final ExecutorService CALLERS = Executors.newCachedThreadPool();
  private static final int ATTEMPTS = 5;
  private static final long LATEST_NANOS = 20_000_000;
  // From call to call, where their order in the queue of a pool is looked at.
  private static final long ORDER_NANOS = 5_000_000;
  private static final AtomicInteger COMMANDS = new AtomicInteger();

  public static void main(String[] args) throws IOException {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    for (String line; (line = in.readLine()) != null; ) {
      JsonNode question = JSON.readTree(line);
      System.out.println(question.path("op").asText().equals("percentile") ? percentiles(question) : commands(question));
    }
    System.exit(0);
  }

  private static ObjectNode percentiles(JsonNode question) {
    int[] values = new int[question.get("values").size()];
    for (int at = 0; at < values.length; at++) values[at] = question.get("values").get(at).asInt();
    HystrixRollingPercentile.PercentileSnapshot snapshot = new HystrixRollingPercentile.PercentileSnapshot(values);
    ObjectNode answer = JSON.createObjectNode();
    ArrayNode out = answer.putArray("values");
    for (JsonNode percent : question.get("of")) out.add(snapshot.getPercentile(percent.asDouble()));
    return answer;
  }

  /** Asks again where the machine kept a call from beginning in its time: order and overlap are then not those of the question. */
  private static ObjectNode commands(JsonNode question) {
    for (int attempt = 1; ; attempt++) {
      AtomicBoolean late = new AtomicBoolean();
      ObjectNode answer = attempt(question, late);
      if (!late.get() || attempt == ATTEMPTS) return answer;
    }
  }

  private static ObjectNode attempt(JsonNode question, AtomicBoolean late) {
    JsonNode options = question.get("options");
    // Of its own for each question: circuits, semaphores and pools live as long as the JVM.
    String key = options.path("name").asText("command") + "-" + COMMANDS.incrementAndGet();
    configure(options, key);
    boolean rejected = false;
    for (JsonNode call : question.get("calls")) rejected |= call.path("fallback").asText().equals("rejected");
    if (rejected) set("command", key, "fallback.isolation.semaphore.maxConcurrentRequests", 0);
    HystrixRequestContext context = HystrixRequestContext.initializeContext();
    List<CompletableFuture<ObjectNode>> answers = new ArrayList<>();
    long start = System.nanoTime();
    for (JsonNode call : question.get("calls")) {
      long due = start + call.get("at").asLong() * 1_000_000;
      sleepUntil(due);
      CountDownLatch begun = new CountDownLatch(1);
      answers.add(CompletableFuture.supplyAsync(() -> {
        Call own = new Call(key, call);
        begun.countDown();
        ObjectNode answer = answer(own, context, key, options);
        return question.path("runs").asBoolean() ? answer.put("ran", own.ran) : answer;
      }, CALLERS));
      await(begun);
      if (System.nanoTime() - due > LATEST_NANOS) late.set(true);
      if (question.path("runs").asBoolean()) sleepUntil(start += ORDER_NANOS);
    }
    ObjectNode all = JSON.createObjectNode();
    ArrayNode out = all.putArray("calls");
    for (CompletableFuture<ObjectNode> answer : answers) out.add(answer.join());
    context.close();
    return all;
  }

  private static ObjectNode answer(Call call, HystrixRequestContext context, String key, JsonNode options) {
    HystrixRequestContext.setContextOnCurrentThread(context);
    ObjectNode answer = JSON.createObjectNode();
    ObjectNode error = null;
    try {
      call.execute();
    } catch (HystrixRuntimeException e) {
      error = JSON.createObjectNode().put("type", e.getFailureType().name());
      error.put("message", e.getMessage().replace(key, options.path("name").asText("command")));
    } catch (HystrixBadRequestException e) {
      error = JSON.createObjectNode().put("type", "BAD_REQUEST_EXCEPTION").put("message", e.getMessage());
    }
    ArrayNode events = answer.putArray("events");
    for (HystrixEventType event : call.getExecutionEvents()) events.add(event.name());
    if (error != null) answer.set("error", error);
    return answer;
  }

  private static void configure(JsonNode options, String key) {
    for (Iterator<Map.Entry<String, JsonNode>> each = options.fields(); each.hasNext(); ) {
      Map.Entry<String, JsonNode> option = each.next();
      if (option.getKey().equals("name")) continue;
      Object value = option.getValue().isTextual() ? option.getValue().asText()
          : option.getValue().isBoolean() ? (Object) option.getValue().asBoolean() : option.getValue().asInt();
      boolean pool = option.getKey().indexOf('.') < 0;
      set(pool ? "threadpool" : "command", key, option.getKey(), value);
      if (option.getKey().equals("coreSize")) set("threadpool", key, "maximumSize", value);
    }
  }

  private static void set(String kind, String key, String name, Object value) {
    ConfigurationManager.getConfigInstance().setProperty("hystrix." + kind + "." + key + "." + name, value);
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void sleepUntil(long nanos) {
    try {
      long left = nanos - System.nanoTime();
      if (left > 0) Thread.sleep(left / 1_000_000, (int) (left % 1_000_000));
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static class Call extends HystrixCommand<Integer> {
    private final JsonNode call;
    private volatile boolean ran;

    Call(String key, JsonNode call) {
      super(Setter.withGroupKey(HystrixCommandGroupKey.Factory.asKey(key))
          .andCommandKey(HystrixCommandKey.Factory.asKey(key)));
      this.call = call;
    }

    @Override
    protected Integer run() throws Exception {
      ran = true;
      String ends = call.get("ends").asText();
      Thread.sleep(ends.equals("hang") ? 2000 : call.path("takes").asLong());
      if (ends.equals("failure")) throw new IOException("failure");
      if (ends.equals("bad-request")) throw new HystrixBadRequestException("bad request");
      return 1;
    }

    @Override
    protected Integer getFallback() {
      String fallback = call.path("fallback").asText("missing");
      if (fallback.equals("missing")) return super.getFallback();
      if (fallback.equals("failure")) throw new IllegalStateException("failure of the fallback");
      return 2;
    }

    @Override
    protected String getCacheKey() {
      return call.has("cacheKey") ? call.get("cacheKey").asText() : null;
    }
  }
}
