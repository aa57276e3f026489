import com.netflix.turbine.data.AggDataFromCluster;
import com.netflix.turbine.data.DataFromSingleInstance;
import com.netflix.turbine.discovery.Instance;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.util.HashMap;
import java.util.Map;
import org.codehaus.jackson.JsonNode;
import org.codehaus.jackson.map.ObjectMapper;

/**
 * Aggregates the frames of hosts with Turbine's own class, a JSON line for each case: a list of {host, frame}, where no
 * frame means that the host is lost. Sorts a frame's fields into numbers, maps and texts as its InstanceMonitor does.
 */
public class TurbinePeer {
  private static final ObjectMapper JSON = new ObjectMapper();

  public static void main(String[] args) throws IOException {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    for (String line; (line = in.readLine()) != null; ) {
      AggDataFromCluster sum = new AggDataFromCluster(null, "type", "name");
      for (JsonNode event : JSON.readTree(line).get("events")) {
        Instance host = new Instance(event.get("host").asText(), "cluster", true);
        if (event.has("frame")) sum.addStatsDataFromSingleServer(frame(host, event.get("frame")));
        else sum.removeDataForHost(host);
      }
      Map<String, Object> answer = new HashMap<String, Object>();
      answer.putAll(sum.getNumericAttributes());
      answer.putAll(sum.getStringAttributes());
      answer.putAll(sum.getNestedMapAttributes());
      System.out.println(JSON.writeValueAsString(answer));
    }
    System.exit(0);
  }

  private static DataFromSingleInstance frame(Instance host, JsonNode json) throws IOException {
    HashMap<String, Long> numbers = new HashMap<String, Long>();
    HashMap<String, String> texts = new HashMap<String, String>();
    HashMap<String, Map<String, ? extends Number>> maps = new HashMap<String, Map<String, ? extends Number>>();
    Map<?, ?> fields = JSON.readValue(json, Map.class);
    for (Map.Entry<?, ?> field : fields.entrySet()) {
      String name = (String) field.getKey();
      Object value = field.getValue();
      if (value instanceof Integer || value instanceof Long) numbers.put(name, ((Number) value).longValue());
      else if (value instanceof Map) maps.put(name, counts((Map<?, ?>) value));
      else texts.put(name, String.valueOf(value));
    }
    return new DataFromSingleInstance(null, "type", "name", host, numbers, texts, maps, 1);
  }

  private static Map<String, Integer> counts(Map<?, ?> map) {
    Map<String, Integer> counts = new HashMap<String, Integer>();
    for (Map.Entry<?, ?> each : map.entrySet()) counts.put((String) each.getKey(), (Integer) each.getValue());
    return counts;
  }
}
