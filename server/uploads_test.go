package server_test

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/server"
)

// uploadOf is how an upload is answered; the rest is what a completed one has more.
func uploadOf(id string, size int, at int64, status, rest string) string {
	return fmt.Sprintf(`{"id":"%s","object":"upload","bytes":%d,"created_at":%d,"filename":"a.jsonl","purpose":"fine-tune","status":"%s",`+
		`"expires_at":%d%s}`, id, size, at, status, at+3600, rest)
}

// begun begins an upload and returns its address.
func (a *api) begun(size int) string {
	a.t.Helper()
	body := `{"filename":"a.jsonl","purpose":"fine-tune","bytes":` + strconv.Itoa(size) + `,"mime_type":"text/jsonl"}`
	return "/v1/uploads/" + a.made("/v1/uploads", body)
}

// part adds a part and returns its id.
func (a *api) part(upload, content string) string {
	a.t.Helper()
	got := a.send(upload+"/parts", form(formFile("data", "blob", content)))
	require.Equal(a.t, 200, got.status, got.body)
	return field[string](a.t, got.body, "id")
}

func partIDs(ids ...string) string {
	quotes := make([]string, len(ids))
	for i, id := range ids {
		quotes[i] = quoted(id)
	}
	return `{"part_ids":[` + strings.Join(quotes, ",") + `]}`
}

func badRequest(message, param, code string) string {
	return envelope(message, "invalid_request_error", param, code)
}

func TestUploadLife(t *testing.T) {
	t.Parallel()
	blobs, memory := newCountedBlobs(), server.NewMemoryStore()
	a := newAPI(t, server.WithBlobs(blobs), server.WithStore(memory))
	require.Equal(t, uploadOf("upload_1", 8, epoch, "pending", ""), a.ok("POST", "/v1/uploads",
		`{"purpose":"fine-tune","filename":"dir/a.jsonl","bytes":8,"mime_type":"text/jsonl"}`))
	const upload = "/v1/uploads/upload_1"
	a.clock.move(time.Second)
	got := a.send(upload+"/parts", form(formField("data", "56")))
	require.Equal(t, `{"id":"part_1","object":"upload.part","created_at":1700000001,"upload_id":"upload_1"}`, got.body)
	for i, content := range []string{"1234", "78", "superfluous"} {
		require.Equal(t, "part_"+strconv.Itoa(i+2), a.part(upload, content))
	}
	blobs.has(t, "part_1", "part_2", "part_3", "part_4")

	sum := md5.Sum([]byte("12345678"))
	file := fileOf("file_1", "fine-tune", "a.jsonl", 8, epoch+1, "null")
	require.Equal(t, uploadOf("upload_1", 8, epoch, "completed", `,"file":`+file), a.ok("POST", upload+"/complete",
		`{"part_ids":["part_2","part_1","part_3"],"md5":"`+strings.ToUpper(hex.EncodeToString(sum[:]))+`"}`))
	blobs.has(t, "file_1")
	require.Equal(t, file, a.ok("GET", "/v1/files/file_1", ""))
	require.Equal(t, "12345678", a.ok("GET", "/v1/files/file_1/content", ""))

	for verb, path := range map[string]string{"complete": "/complete", "cancel": "/cancel", "add part to": "/parts"} {
		want := badRequest("Cannot "+verb+" upload with status 'completed'.", "", "")
		got := a.do("POST", upload+path, map[string]string{"/complete": partIDs("part_1")}[path])
		if path == "/parts" {
			got = a.send(upload+path, form(formFile("data", "x", "x")))
		}
		require.Equal(t, 400, got.status)
		require.Equal(t, want, got.body)
	}
	blobs.has(t, "file_1")
	a.ok("DELETE", "/v1/files/file_1", "")
	a.clock.move(2 * time.Hour)
	a.ok("GET", "/v1/files", "")
	blobs.has(t)
}

// Whoever has not got the answer asks again, and is told the same.
func TestUploadCompletedAgain(t *testing.T) {
	t.Parallel()
	blobs, memory := newCountedBlobs(), server.NewMemoryStore()
	a := newAPI(t, server.WithBlobs(blobs), server.WithStore(memory))
	const sum = "E80B5017098950FC58AAD83C8C14978E"
	upload := a.begun(6)
	first, second := a.part(upload, "abc"), a.part(upload, "def")
	body := func(sum string, parts ...string) string {
		return strings.TrimSuffix(partIDs(parts...), "}") + `,"md5":"` + sum + `"}`
	}
	want := a.ok("POST", upload+"/complete", body(sum, first, second))
	require.Contains(t, want, `"file":{`)
	require.Equal(t, want, a.ok("POST", upload+"/complete", body(sum, first, second)))
	a.clock.move(24 * time.Hour)
	require.Equal(t, want, a.ok("POST", upload+"/complete", " "+body(strings.ToLower(sum), first, second)))
	for _, other := range []string{body(sum, second, first), body(sum, first), partIDs(first, second), body("x", first, second)} {
		a.refuses("POST", upload+"/complete", other, 400, badRequest("Cannot complete upload with status 'completed'.", "", ""))
	}
	blobs.has(t, "file_1")
	a.clock.move(time.Hour)
	a.refuses("POST", upload+"/complete", body(sum, first, second), 404, badRequest("No upload found with id 'upload_1'.", "", ""))
	require.Empty(t, memory.All()[server.Collection{Kind: "upload"}], "a day behind its end it is forgotten")
	require.Empty(t, dueIn(t, memory))
	a.ok("GET", "/v1/files/file_1", "")
}

func TestCancelledUpload(t *testing.T) {
	t.Parallel()
	blobs, memory := newCountedBlobs(), server.NewMemoryStore()
	a := newAPI(t, server.WithBlobs(blobs), server.WithStore(memory))
	upload := a.begun(3)
	a.part(upload, "abc")
	before := memory.Collections()
	require.Equal(t, uploadOf("upload_1", 3, epoch, "cancelled", ""), a.ok("POST", upload+"/cancel", ""))
	blobs.has(t)
	require.Equal(t, before-1, memory.Collections())
	a.refuses("POST", upload+"/cancel", "", 400, badRequest("Cannot cancel upload with status 'cancelled'.", "", ""))
	a.refuses("POST", upload+"/complete", partIDs("part_1"), 400, badRequest("Cannot complete upload with status 'cancelled'.", "", ""))
}

func TestExpiredUpload(t *testing.T) {
	t.Parallel()
	blobs := newCountedBlobs()
	a := newAPI(t, server.WithBlobs(blobs))
	late, other := a.begun(3), a.begun(3)
	a.part(late, "abc")
	a.clock.move(3599 * time.Second)
	part := a.part(other, "abc")
	a.ok("POST", other+"/complete", partIDs(part))
	a.clock.move(time.Second)
	got := a.send(late+"/parts", form(formFile("data", "x", "x")))
	require.Equal(t, badRequest("Cannot add part to upload with status 'expired'.", "", ""), got.body)
	a.refuses("POST", late+"/complete", partIDs("part_1"), 400, badRequest("Cannot complete upload with status 'expired'.", "", ""))
	a.refuses("POST", late+"/cancel", "", 400, badRequest("Cannot cancel upload with status 'expired'.", "", ""))
	blobs.has(t, "file_1")
}

func TestUploadsThatAreRefused(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	body := func(replace, by string) string {
		return strings.Replace(`{"filename":"a","purpose":"vision","bytes":1,"mime_type":"image/png"}`, replace, by, 1)
	}
	for body, want := range map[string]string{
		body(`"filename":"a",`, ``):                            badRequest("Missing required parameter: 'filename'.", "filename", "missing_required_parameter"),
		body(`"a"`, `"x/"`):                                    badRequest("Invalid 'filename': empty string. Expected a string with minimum length 1, but got an empty string instead.", "filename", "empty_string"),
		body(`"a"`, `1`):                                       badRequest("Invalid type for 'filename': expected a string, but got an integer instead.", "filename", "invalid_type"),
		body(`"purpose":"vision",`, ``):                        badRequest("Missing required parameter: 'purpose'.", "purpose", "missing_required_parameter"),
		body(`"vision"`, `"it's"`):                             badRequest(`"it's" is not one of ['fine-tune', 'assistants', 'batch', 'user_data', 'vision', 'evals'] - 'purpose'`, "purpose", ""),
		body(`"vision"`, `null`):                               badRequest("Invalid type for 'purpose': expected a string, but got null instead.", "purpose", "invalid_type"),
		body(`"bytes":1,`, ``):                                 badRequest("Missing required parameter: 'bytes'.", "bytes", "missing_required_parameter"),
		body(`"bytes":1`, `"bytes":0`):                         badRequest("Invalid 'bytes': integer below minimum value. Expected a value >= 1, but got 0 instead.", "bytes", "integer_below_min_value"),
		body(`"bytes":1`, `"bytes":8589934593`):                badRequest("Invalid 'bytes': integer above maximum value. Expected a value <= 8589934592, but got 8589934593 instead.", "bytes", "integer_above_max_value"),
		body(`"bytes":1`, `"bytes":1.5`):                       badRequest("Invalid type for 'bytes': expected an integer, but got a decimal number instead.", "bytes", "invalid_type"),
		body(`,"mime_type":"image/png"`, ``):                   badRequest("Missing required parameter: 'mime_type'.", "mime_type", "missing_required_parameter"),
		body(`}`, `,"x":1}`):                                   badRequest("Unknown parameter: 'x'.", "x", "unknown_parameter"),
		body(`}`, `,"expires_after":{"anchor":"created_at"}}`): badRequest("Missing required parameter: 'expires_after.seconds'.", "expires_after.seconds", "missing_required_parameter"),
		body(`}`, `,"expires_after":{"anchor":"created_at","seconds":"3600"}}`): badRequest(
			"Invalid type for 'expires_after.seconds': expected an integer, but got a string instead.", "expires_after.seconds", "invalid_type"),
	} {
		a.refuses("POST", "/v1/uploads", body, 400, want)
	}
	for _, path := range []string{"/complete", "/cancel"} {
		body := map[string]string{"/complete": partIDs("p")}[path]
		a.refuses("POST", "/v1/uploads/up_1"+path, body, 400, badRequest("Invalid 'upload_id': 'up_1'. Expected an ID that begins with 'upload'.", "upload_id", "invalid_value"))
		a.refuses("POST", "/v1/uploads/upload_9"+path, body, 404, badRequest("No upload found with id 'upload_9'.", "", ""))
	}
	require.Equal(t, 404, a.send("/v1/uploads/upload_9/parts", form(formFile("data", "", "x"))).status)
	require.Equal(t, 400, a.send("/v1/uploads/up_9/parts", form(formFile("data", "", "x"))).status)
}

func TestPartsThatAreRefused(t *testing.T) {
	t.Parallel()
	blobs := newCountedBlobs()
	a := newAPI(t, server.WithBlobs(blobs))
	upload, data := a.begun(3), formFile("data", "blob", "abc")
	for body, want := range map[string]string{
		"":                              badRequest(brokenForm, "", ""),
		form():                          badRequest("Missing required parameter: 'data'.", "data", "missing_required_parameter"),
		form(formFile("data", "", "")):  badRequest("Invalid 'data': the file is empty.", "data", ""),
		form(data, data):                badRequest("Duplicate parameter: 'data'.", "data", ""),
		form(data, formField("x", "")):  badRequest("Unknown parameter: 'x'.", "x", "unknown_parameter"),
		form(formFile("file", "", "x")): badRequest("Unknown parameter: 'file'.", "file", "unknown_parameter"),
		form(data)[:len(form(data))-40]: badRequest(brokenForm, "", ""),
	} {
		got := a.send(upload+"/parts", body)
		require.Equal(t, 400, got.status)
		require.Equal(t, want, got.body)
	}
	a.refuses("POST", upload+"/parts", `{}`, 400, badRequest(notAForm, "", ""))
	got := a.send(upload+"/parts", form(formFile("data", "", strings.Repeat("x", 64<<20+1))))
	require.Equal(t, 413, got.status)
	require.Equal(t, badRequest("Invalid 'data': file too large. Expected at most 67108864 bytes.", "data", ""), got.body)
	blobs.has(t)
	const key = "Idempotency-Key: k"
	first := a.send(upload+"/parts", form(data), key)
	require.Equal(t, 200, first.status)
	again := a.send(upload+"/parts", form(data), key)
	require.Equal(t, first.body, again.body)
	require.Equal(t, 422, a.send(upload+"/parts", form(formFile("data", "blob", "abd")), key).status)
	blobs.has(t, field[string](t, first.body, "id"))
}

// An upload that cannot be completed stays as it is, and can be completed otherwise.
func TestCompletionsThatAreRefused(t *testing.T) {
	t.Parallel()
	blobs := newCountedBlobs()
	a := newAPI(t, server.WithBlobs(blobs))
	upload, other := a.begun(6), a.begun(6)
	first, second, foreign := a.part(upload, "abc"), a.part(upload, "def"), a.part(other, "abc")
	for body, want := range map[string]string{
		`{}`:                           badRequest("Missing required parameter: 'part_ids'.", "part_ids", "missing_required_parameter"),
		`{"part_ids":[]}`:              badRequest("Invalid 'part_ids': empty array. Expected an array with minimum length 1, but got an empty array instead.", "part_ids", "empty_array"),
		`{"part_ids":[1]}`:             badRequest("Invalid type for 'part_ids[0]': expected a string, but got an integer instead.", "part_ids[0]", "invalid_type"),
		`{"part_ids":["x"],"bytes":1}`: badRequest("Unknown parameter: 'bytes'.", "bytes", "unknown_parameter"),
		partIDs(first, first):          badRequest("Duplicate part_ids submitted: '"+first+"'.", "part_ids", ""),
		partIDs(first):                 badRequest("Expected parts of 6 bytes together, but got 3 bytes instead.", "part_ids", ""),
		strings.TrimSuffix(partIDs(first, second), "}") + `,"md5":"x"}`: badRequest(
			"Expected parts with the MD5 checksum 'x', but got 'e80b5017098950fc58aad83c8c14978e' instead.", "md5", ""),
	} {
		a.refuses("POST", upload+"/complete", body, 400, want)
	}
	for _, id := range []string{foreign, "part_9", "x"} {
		a.refuses("POST", upload+"/complete", partIDs(first, id), 404, badRequest("No part found with id '"+id+"'.", "", ""))
	}
	blobs.has(t, first, second, foreign)
	blobs.reading = func(r io.Reader) io.Reader { return io.MultiReader(io.LimitReader(r, 1), iotest.ErrReader(errDisk)) }
	require.Equal(t, 500, a.do("POST", upload+"/complete", partIDs(first, second)).status)
	blobs.has(t, first, second, foreign)
	blobs.reading = nil
	file := field[jsonText](t, a.ok("POST", upload+"/complete", partIDs(second, first)), "file")
	id := field[string](t, string(file), "id")
	blobs.has(t, id, foreign)
	require.Equal(t, "defabc", a.ok("GET", "/v1/files/"+id+"/content", ""))
}

// Of all who end an upload at once, one does.
func TestUploadRaces(t *testing.T) {
	t.Parallel()
	blobs := newCountedBlobs()
	a := newAPI(t, server.WithBlobs(blobs))
	for range 30 {
		upload := a.begun(3)
		part := a.part(upload, "abc")
		var group sync.WaitGroup
		var mu sync.Mutex
		ended := map[string]int{}
		for range 4 {
			for path, body := range map[string]string{"/complete": partIDs(part), "/cancel": ""} {
				group.Go(func() {
					got := a.do("POST", upload+path, body)
					assert.Contains(t, []int{200, 400}, got.status, got.body)
					mu.Lock()
					defer mu.Unlock()
					if got.status == 200 {
						ended[got.body]++
					}
				})
			}
			group.Go(func() {
				assert.Contains(t, []int{200, 400}, a.send(upload+"/parts", form(formFile("data", "", "x"))).status)
			})
		}
		group.Wait()
		require.Len(t, ended, 1)
		for body, times := range ended {
			cancelled := field[string](t, body, "status") == "cancelled"
			require.Equal(t, map[bool]int{true: 1, false: 4}[cancelled], times)
		}
		blobs.has(t, a.ids("/v1/files")...)
	}
}

// A store that fails at any of its calls leaves the upload as it was.
func TestUploadsOnABrokenStore(t *testing.T) {
	t.Parallel()
	blobs := newCountedBlobs()
	store := &brittleStore{Store: server.NewMemoryStore()}
	a := newAPI(t, server.WithBlobs(blobs), server.WithStore(store))
	upload := a.begun(3)
	add := func() answer { return a.send(upload+"/parts", form(formFile("data", "", "abc"))) }
	for at := 1; at < 50; at++ {
		store.fail(fault{from: at, to: at + 1})
		got := add()
		store.fail(fault{})
		if got.status == 200 {
			break
		}
		require.Equal(t, 500, got.status)
		blobs.has(t)
	}
	part := ""
	for id := range blobs.ids {
		part = id
	}
	for at := 1; at < 50; at++ {
		store.fail(fault{from: at, to: at + 1})
		got := a.do("POST", upload+"/complete", partIDs(part))
		store.fail(fault{})
		if got.status == 200 {
			break
		}
		require.Equal(t, 500, got.status)
		blobs.has(t, part)
		require.Empty(t, a.ids("/v1/files"))
	}
	require.Len(t, a.ids("/v1/files"), 1)
	a.clock.move(time.Hour)
	blobs.has(t, a.ids("/v1/files")...)
}
