package provider

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// Models lists the models of a provider: GET /models. They are in the order of their names, each once; what has no name
// in the provider's list is left out. Errors are those of the Client.
func Models(ctx context.Context, client *assistants.Client) ([]server.ModelInfo, error) {
	var list listing
	if err := client.Call(ctx, http.MethodGet, "/models", nil, &list, Options()...); err != nil {
		return nil, err
	}
	slices.SortStableFunc(list, func(a, b server.ModelInfo) int { return cmp.Compare(a.ID, b.ID) })
	return slices.CompactFunc(list, func(a, b server.ModelInfo) bool { return a.ID == b.ID }), nil
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
		ID      Word   `json:"id"`
		Name    Word   `json:"name"`
		Created Number `json:"created"`
		OwnedBy Word   `json:"owned_by"`
	}
	if data[0] == '"' {
		_ = model.ID.UnmarshalJSON(data) // every string is a word
	} else if err := json.Unmarshal(data, &model); err != nil {
		return server.ModelInfo{}, false
	}
	id := string(cmp.Or(model.ID, model.Name))
	return server.ModelInfo{ID: id, CreatedAt: assistants.Timestamp(model.Created), OwnedBy: string(model.OwnedBy)}, id != ""
}
