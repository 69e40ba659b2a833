package chat

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/server/internal/provider"
)

// Models lists the provider's models: GET /models. Errors are those of the Client. What has no name in the list is
// left out.
func (m *Model) Models(ctx context.Context) ([]server.ModelInfo, error) {
	var list listing
	if err := m.provider.Call(ctx, http.MethodGet, "/models", nil, &list, provider.Options()...); err != nil {
		return nil, err
	}
	return list, nil
}

// listing is a list of models: within an object, as it should be, or bare.
type listing []server.ModelInfo

func (l *listing) UnmarshalJSON(data []byte) error {
	var object struct {
		Data   json.RawMessage `json:"data"`
		Models json.RawMessage `json:"models"`
	}
	items := json.RawMessage(data)
	if data[0] == '{' {
		if err := json.Unmarshal(data, &object); err != nil {
			return err
		}
		items = object.Data
		if len(items) == 0 {
			items = object.Models
		}
	}
	if len(items) == 0 {
		return nil
	}
	var models []json.RawMessage
	if err := json.Unmarshal(items, &models); err != nil {
		return err
	}
	for _, one := range models {
		if info, ok := infoOf(one); ok {
			*l = append(*l, info)
		}
	}
	return nil
}

// infoOf reads one model of a list, which may be its name alone.
func infoOf(data json.RawMessage) (server.ModelInfo, bool) {
	var model struct {
		ID      word   `json:"id"`
		Name    word   `json:"name"`
		Created number `json:"created"`
		OwnedBy word   `json:"owned_by"`
	}
	if data[0] == '"' {
		_ = model.ID.UnmarshalJSON(data) // every string is a word
	} else if err := json.Unmarshal(data, &model); err != nil {
		return server.ModelInfo{}, false
	}
	id := string(cmp.Or(model.ID, model.Name))
	return server.ModelInfo{ID: id, CreatedAt: assistants.Timestamp(model.Created), OwnedBy: string(model.OwnedBy)}, id != ""
}
