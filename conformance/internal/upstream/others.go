package upstream

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// Containers is an [http.Handler] of the containers in which a provider runs code, and passes on what is about
// something else. All containers that are asked for are there and run, and so are all files in them.
type Containers struct {
	Content []byte       // of every file in a container
	Next    http.Handler // never nil

	mu   sync.Mutex
	made int // containers and files in them
}

// ServeHTTP answers one request.
func (c *Containers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	mux := http.NewServeMux()
	for _, base := range []string{"", "/v1", "/openai/v1"} {
		mux.HandleFunc("POST "+base+"/containers", func(w http.ResponseWriter, _ *http.Request) { c.container(w, "") })
		mux.HandleFunc("GET "+base+"/containers/{id}", func(w http.ResponseWriter, r *http.Request) { c.container(w, r.PathValue("id")) })
		mux.HandleFunc("POST "+base+"/containers/{id}/files", c.addFile)
		mux.HandleFunc("GET "+base+"/containers/{id}/files/{file}/content", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/octet-stream")
			_, _ = w.Write(c.Content)
		})
	}
	mux.Handle("/", c.Next)
	mux.ServeHTTP(w, r)
}

func (c *Containers) next(prefix string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made++
	return fmt.Sprintf("%s_%d", prefix, c.made)
}

// container answers with a container, a new one if id is "".
func (c *Containers) container(w http.ResponseWriter, id string) {
	if id == "" {
		id = c.next("cntr")
	}
	reply(w, object{
		"id": id, "object": "container", "created_at": 1, "status": "running", "name": "a", "last_active_at": 1,
		"expires_after": object{"anchor": "last_active_at", "minutes": 20},
	})
}

func (c *Containers) addFile(w http.ResponseWriter, r *http.Request) {
	n, _ := io.Copy(io.Discard, r.Body)
	reply(w, object{
		"id": c.next("cfile"), "object": "container.file", "created_at": 1, "bytes": n, "container_id": r.PathValue("id"),
		"path": "/mnt/data/file", "source": "user",
	})
}

func reply(w http.ResponseWriter, body object) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}
