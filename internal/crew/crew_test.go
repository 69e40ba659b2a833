package crew_test

import (
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/internal/crew"
)

func TestCrew(t *testing.T) {
	t.Parallel()
	var c crew.Crew
	require.True(t, idle(&c))

	release := make(chan struct{})
	c.Go(func() { <-release })
	c.Begin()
	waiting := c.Idle()
	require.Equal(t, waiting, c.Idle())
	require.False(t, idle(&c))
	c.End()
	require.False(t, idle(&c))
	close(release)
	<-waiting
	require.True(t, idle(&c))

	c.Begin()
	require.False(t, idle(&c))
	c.End()
	require.True(t, idle(&c))
}

// A wait group that was first used in a bubble cannot be waited for outside of it.
func TestCrewOutsideOfItsBubble(t *testing.T) {
	t.Parallel()
	var c crew.Crew
	synctest.Test(t, func(*testing.T) { c.Go(func() {}) })
	<-c.Idle()
}

func TestCrewOfMany(t *testing.T) {
	t.Parallel()
	var c crew.Crew
	var mu sync.Mutex
	done := 0
	for range 100 {
		c.Go(func() {
			mu.Lock()
			defer mu.Unlock()
			done++
		})
	}
	<-c.Idle()
	require.Equal(t, 100, done)
}

func idle(c *crew.Crew) bool {
	select {
	case <-c.Idle():
		return true
	default:
		return false
	}
}
