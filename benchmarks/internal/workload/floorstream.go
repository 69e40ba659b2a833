package workload

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// streamByHand reads a run as one would without a client: line by line, in a buffer that the lines are used from, every
// event into the struct of its name. It adds the text up, as ours does, and reads behind the last event, so that the
// connection can be used again.
func streamByHand(ctx context.Context, client *http.Client, each func(string)) error {
	resp, err := send(ctx, client, http.MethodPost, "/threads/"+ThreadID+"/runs", "text/event-stream", struct {
		AssistantID string `json:"assistant_id"`
		Stream      bool   `json:"stream"`
	}{AssistantID, true})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	lines := bufio.NewReader(resp.Body)
	run := &plainStream{each: each}
	var name, data []byte
	for {
		line, err := readLine(lines)
		switch {
		case err != nil:
			return fmt.Errorf("before the end of the stream: %w", err)
		case len(line) > 0:
			if value, ok := bytes.CutPrefix(line, []byte("event: ")); ok {
				name = append(name[:0], value...)
			} else if value, ok := bytes.CutPrefix(line, []byte("data: ")); ok {
				data = append(data, value...)
			}
			continue
		case string(name) == "done":
			_, err := io.Copy(io.Discard, resp.Body)
			return err
		case len(data) > 0:
			if err := run.decode(string(name), data); err != nil {
				return fmt.Errorf("event %s: %w", name, err)
			}
		}
		name, data = name[:0], data[:0]
	}
}

// readLine returns a line without its end, valid until the next. One that the buffer has no room for is copied.
func readLine(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		start := bytes.Clone(line)
		line, err = r.ReadBytes('\n')
		line = append(start, line...)
	}
	return bytes.TrimRight(line, "\r\n"), err
}

// A plainStream is what has been read of a run.
type plainStream struct {
	run     *plainRun
	step    *plainRunStep
	message *plainMessage
	text    strings.Builder
	each    func(string)
}

func (s *plainStream) decode(name string, data []byte) error {
	switch {
	case name == "thread.message.delta":
		delta := new(plainMessageDelta)
		if err := json.Unmarshal(data, delta); err != nil {
			return err
		}
		for _, part := range delta.Delta.Content {
			if part.Text != nil && part.Text.Value != "" {
				s.text.WriteString(part.Text.Value)
				s.each(part.Text.Value)
			}
		}
		return nil
	case name == "thread.run.step.delta":
		return json.Unmarshal(data, new(plainRunStepDelta))
	case name == "error":
		return errors.New(string(data))
	case strings.HasPrefix(name, "thread.run.step."):
		s.step = new(plainRunStep)
		return json.Unmarshal(data, s.step)
	case strings.HasPrefix(name, "thread.run."):
		s.run = new(plainRun)
		return json.Unmarshal(data, s.run)
	case strings.HasPrefix(name, "thread.message."):
		s.message = new(plainMessage)
		return json.Unmarshal(data, s.message)
	}
	return nil // new since this was written
}
