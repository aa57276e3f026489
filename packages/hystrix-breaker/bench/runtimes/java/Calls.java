import io.github.resilience4j.circuitbreaker.CallNotPermittedException;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import java.util.Arrays;
import java.util.function.Supplier;

/** Nanoseconds of a call, the median of 15 rounds after 10 of warming up; one line each for a closed and an open circuit. */
public class Calls {
  static final int CALLS = 2_000_000;
  static long sink;

  public static void main(String[] args) {
    CircuitBreaker closed = CircuitBreaker.ofDefaults("closed");
    System.out.println("closed " + median(CircuitBreaker.decorateSupplier(closed, () -> 1)));
    CircuitBreaker open = CircuitBreaker.ofDefaults("open");
    open.transitionToForcedOpenState();
    Supplier<Integer> refused = CircuitBreaker.decorateSupplier(open, () -> 1);
    System.out.println("open " + median(() -> {
      try {
        return refused.get();
      } catch (CallNotPermittedException error) {
        return 0;
      }
    }));
  }

  static double median(Supplier<Integer> call) {
    double[] rounds = new double[15];
    for (int round = -10; round < rounds.length; round++) {
      long begun = System.nanoTime();
      for (int n = 0; n < CALLS; n++) sink += call.get();
      if (round >= 0) rounds[round] = (System.nanoTime() - begun) / (double) CALLS;
    }
    Arrays.sort(rounds);
    return rounds[rounds.length / 2];
  }
}
