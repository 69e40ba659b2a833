package workload

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

const baseURL = "https://api.openai.com/v1"

// floor is what a program would do without a client, if whoever wrote it took care: net/http and encoding/json, one
// buffer of the announced length, and structs that have the same fields as ours and no methods.
func floor(wire *Wire) Client {
	client := &http.Client{Transport: wire}
	params := newPlainParams()
	stream := func(ctx context.Context, each func(string)) error { return streamByHand(ctx, client, each) }
	return Client{Floor, map[string]Operation{
		Retrieve: operation(func(ctx context.Context) (*plainAssistant, error) {
			return exchange[plainAssistant](ctx, client, http.MethodGet, "/assistants/"+AssistantID, nil)
		}, one(plainSight)),
		RetrieveUnannounced: operation(func(ctx context.Context) (*plainAssistant, error) {
			return exchange[plainAssistant](ctx, client, http.MethodGet, "/assistants/"+UnannouncedID, nil)
		}, one(plainSight)),
		List: operation(func(ctx context.Context) (*plainPage, error) {
			return exchange[plainPage](ctx, client, http.MethodGet, "/assistants?limit="+strconv.Itoa(ListLength), nil)
		}, func(page *plainPage) []Sight { return many(page.Data, plainSight) }),
		Create: operation(func(ctx context.Context) (*plainAssistant, error) {
			return exchange[plainAssistant](ctx, client, http.MethodPost, "/assistants", params)
		}, one(plainSight)),
		Messages: operation(func(ctx context.Context) (*plainMessagePage, error) {
			path := "/threads/" + ThreadID + "/messages?limit=" + strconv.Itoa(ListLength)
			return exchange[plainMessagePage](ctx, client, http.MethodGet, path, nil)
		}, func(page *plainMessagePage) []Sight { return many(page.Data, plainMessageSight) }),
		Stream: streaming(stream),
	}, stream}
}

func exchange[T any](ctx context.Context, client *http.Client, method, path string, in any) (*T, error) {
	resp, err := send(ctx, client, method, path, "application/json", in)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := read(resp)
	if err != nil {
		return nil, err
	}
	out := new(T)
	if err := json.Unmarshal(answer, out); err != nil {
		return nil, err
	}
	return out, nil
}

// send returns an answer of status 200.
func send(ctx context.Context, client *http.Client, method, path, accept string, in any) (*http.Response, error) {
	var body io.Reader
	if in != nil {
		encoded, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, method, baseURL+path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", accept)
	req.Header.Set("Authorization", "Bearer "+apiKey)
	req.Header.Set("OpenAI-Beta", "assistants=v2")
	req.Header.Set("User-Agent", "floor/1.0")
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, fmt.Errorf("%s %s: %s", method, path, resp.Status)
	}
	return resp, nil
}

func read(resp *http.Response) ([]byte, error) {
	if resp.ContentLength < 0 {
		return io.ReadAll(resp.Body)
	}
	answer := make([]byte, resp.ContentLength)
	_, err := io.ReadFull(resp.Body, answer)
	return answer, err
}
