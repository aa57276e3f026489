package bench

import (
	"errors"
	"testing"

	"github.com/sony/gobreaker/v2"
)

func one() (int, error) { return 1, nil }

func BenchmarkClosed(b *testing.B) {
	breaker := gobreaker.NewCircuitBreaker[int](gobreaker.Settings{})
	for b.Loop() {
		if _, err := breaker.Execute(one); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	breaker := gobreaker.NewCircuitBreaker[int](gobreaker.Settings{
		ReadyToTrip: func(gobreaker.Counts) bool { return true },
	})
	_, _ = breaker.Execute(func() (int, error) { return 0, errors.New("down") })
	for b.Loop() {
		if _, err := breaker.Execute(one); !errors.Is(err, gobreaker.ErrOpenState) {
			b.Fatal("it is not open")
		}
	}
}
