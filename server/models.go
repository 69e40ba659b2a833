package server

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"slices"
	"strconv"
)

// The models that assistants can have: section 19 of docs/protocol.md.

// listModels is GET /models.
func (s *Server) listModels(ctx context.Context, _ *call) (reply, error) {
	list, err := s.knownModels(ctx)
	if err != nil {
		return reply{}, err
	}
	data := make([]json.RawMessage, 0, len(list))
	for _, m := range list {
		data = append(data, m.document())
	}
	return ok(object{{"object", json.RawMessage(`"list"`)}, {"data", encode(data)}}.render())
}

// retrieveModel is GET /models/{model}.
func (s *Server) retrieveModel(ctx context.Context, c *call) (reply, error) {
	list, err := s.knownModels(ctx)
	if err != nil {
		return reply{}, err
	}
	for _, m := range list {
		if m.ID == c.ids[0] {
			return ok(m.document())
		}
	}
	return reply{}, errNoSuchModel(c.ids[0])
}

// knownModels are those that the operator names, else those that the model knows. Without either nobody knows any, and
// assistants may have models of every name.
func (s *Server) knownModels(ctx context.Context) ([]ModelInfo, error) {
	var list []ModelInfo
	lister, ok := s.model.(Lister)
	switch {
	case len(s.models) > 0:
		for _, name := range slices.Sorted(maps.Keys(s.models)) {
			list = append(list, ModelInfo{ID: name})
		}
	case ok:
		var err error
		if list, err = lister.Models(ctx); err != nil && len(list) == 0 {
			return nil, err
		} else if err != nil {
			s.logger.WarnContext(ctx, "some models could not be listed", slog.String("cause", err.Error()))
		}
	}
	return list, nil
}

func (m ModelInfo) document() json.RawMessage {
	return object{
		{"id", quote(validText(m.ID))}, {"object", json.RawMessage(`"model"`)}, {"created", strconv.AppendInt(nil, int64(m.CreatedAt), 10)},
		{"owned_by", quote(validText(cmp.Or(m.OwnedBy, "system")))},
	}.render()
}
