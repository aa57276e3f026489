import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.stripe.StripeClient;
import com.stripe.exception.StripeException;
import com.stripe.net.ApiResource;
import com.stripe.net.RawRequestOptions;
import com.stripe.net.StripeResponse;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.stream.Collectors;

/** The official client of Stripe for Java, driven by lines of JSON: one call a line, one line for what became of it. */
public final class StripeJava {
  public static void main(String[] args) throws Exception {
    var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line; (line = lines.readLine()) != null; ) {
      System.out.println(new Gson().toJson(answer(JsonParser.parseString(line).getAsJsonObject())));
      System.out.flush();
    }
  }

  private static JsonObject answer(JsonObject call) {
    var client =
        StripeClient.builder()
            .setApiKey("sk_test_" + call.get("account").getAsString())
            .setApiBase("http://127.0.0.1:" + call.get("port").getAsInt())
            .setMaxNetworkRetries(call.get("retries").getAsInt())
            .build();
    var options = RawRequestOptions.builder();
    if (call.has("key")) options.setIdempotencyKey(call.get("key").getAsString());
    var method = ApiResource.RequestMethod.valueOf(call.get("method").getAsString());
    var path = call.get("path").getAsString();
    var said = new JsonObject();
    try {
      StripeResponse answer = client.rawRequest(method, path, content(call), options.build());
      said.addProperty("status", answer.code());
      said.add("id", JsonParser.parseString(answer.body()).getAsJsonObject().get("id"));
      said.addProperty("replayed", header(answer, "Idempotent-Replayed", "").equals("true"));
      said.addProperty("request", header(answer, "Request-Id", null));
      said.addProperty("original", header(answer, "Original-Request", null));
    } catch (StripeException error) {
      said.addProperty("status", error.getStatusCode());
      said.addProperty("failed", error.getClass().getSimpleName().replaceAll("Exception$", "").toLowerCase());
      said.addProperty(
          "message", error.getStripeError() == null ? error.getMessage() : error.getStripeError().getMessage());
    }
    return said;
  }

  private static String header(StripeResponse answer, String name, String otherwise) {
    return answer.headers().firstValue(name).orElse(otherwise);
  }

  private static String content(JsonObject call) {
    var params = call.getAsJsonObject("params");
    if (call.get("method").getAsString().equals("DELETE")) return null;
    if (call.get("path").getAsString().startsWith("/v2/")) return params.toString();
    return params.entrySet().stream()
        .map(each -> each.getKey() + "=" + URLEncoder.encode(each.getValue().getAsString(), StandardCharsets.UTF_8))
        .collect(Collectors.joining("&"));
  }
}
