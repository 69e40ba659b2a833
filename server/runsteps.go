package server

import "context"

// stepCollection holds the steps of a run.
func stepCollection(runID string) Collection {
	return Collection{Kind: "thread.run.step", Parent: runID}
}

// listSteps is GET /threads/{thread_id}/runs/{run_id}/steps; see section 9.4 of docs/protocol.md.
func (s *Server) listSteps(ctx context.Context, c *call) (reply, error) {
	q, err := listQuery(c)
	if err != nil {
		return reply{}, err
	}
	shown, err := s.stepsShown(ctx, c)
	if err != nil {
		return reply{}, err
	}
	return s.list(ctx, q, stepCollection(c.ids[1]), shown)
}

// retrieveStep is GET /threads/{thread_id}/runs/{run_id}/steps/{step_id}.
func (s *Server) retrieveStep(ctx context.Context, c *call) (reply, error) {
	shown, err := s.stepsShown(ctx, c)
	if err != nil {
		return reply{}, err
	}
	record, err := s.store.Get(ctx, stepCollection(c.ids[1]), c.ids[2])
	if err != nil {
		return reply{}, missing(err, shown.kind, c.ids[2])
	}
	return ok(shown.show(record).Data)
}

// stepsShown returns how the steps of the run that the address names are shown. A run whose time is up is ended first.
func (s *Server) stepsShown(ctx context.Context, c *call) (listed, error) {
	content, err := include(c)
	if err != nil {
		return listed{}, err
	}
	_, t, err := s.runOf(ctx, c)
	if err != nil {
		return listed{}, err
	}
	s.engine.unlock(t)
	making := s.engine.peek(t.id)
	return listed{kind: "run step", show: func(r Record) Record {
		r = making.step(r)
		if !content {
			r.Data = withoutContent(r.Data)
		}
		return r
	}}, nil
}
