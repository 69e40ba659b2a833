package assistants_test

import (
	"bytes"
	"errors"
	"io"
	"math"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
)

// A sentForm is a form as net/http's server understands it.
type sentForm struct {
	fields                       map[string][]string // nil: none
	key, file, name, contentType string
}

func parseForm(t testing.TB, contentType, body string) sentForm {
	t.Helper()
	kind, params, err := mime.ParseMediaType(contentType)
	require.NoError(t, err)
	require.Equal(t, "multipart/form-data", kind)
	form, err := readForm(multipart.NewReader(strings.NewReader(body), params["boundary"]))
	require.NoError(t, err)
	return form
}

func readForm(r *multipart.Reader) (form sentForm, err error) {
	for {
		part, err := r.NextPart()
		if err == io.EOF {
			return form, nil
		}
		if err != nil {
			return form, err
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return form, err
		}
		_, disposition, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
		if err != nil {
			return form, err
		}
		name, isFile := disposition["filename"]
		switch {
		case isFile && form.key != "":
			return form, errors.New("there are two files")
		case isFile:
			form.key, form.file, form.name, form.contentType = part.FormName(), string(value), name, part.Header.Get("Content-Type")
		default:
			if form.fields == nil {
				form.fields = map[string][]string{}
			}
			form.fields[part.FormName()] = append(form.fields[part.FormName()], string(value))
		}
	}
}

// accepting is a handler that takes whole forms, and answers those that are none with 400.
func accepting(answer string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseMultipartForm(1 << 20); err != nil {
			http.Error(w, err.Error(), 400)
			return
		}
		io.WriteString(w, answer)
	}
}

// upload returns what an upload sends.
func upload(t testing.TB, params assistants.FileUploadParams) (sentForm, sent) {
	t.Helper()
	tr := newTransport(t, answer(200, fileJSON))
	file, err := newClient(t, tr).Files.Upload(t.Context(), params)
	require.NoError(t, err)
	require.Equal(t, "file-1", file.ID)
	r := tr.last()
	require.Equal(t, "POST /v1/files", r.Method+" "+r.URL.RequestURI())
	require.Equal(t, "Bearer "+testKey, r.Header.Get("Authorization"))
	return parseForm(t, r.Header.Get("Content-Type"), r.body), r
}

func TestUploadForm(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "secret-directory")
	require.NoError(t, os.Mkdir(path, 0o755))
	path = filepath.Join(path, "a.json")
	require.NoError(t, os.WriteFile(path, []byte("content"), 0o644))
	content := func() io.Reader { return strings.NewReader("content") }
	assistantsOnly := map[string][]string{"purpose": {"assistants"}}
	expiring := func(anchor string) map[string][]string {
		return map[string][]string{"purpose": {"user_data"}, "expires_after[anchor]": {anchor}, "expires_after[seconds]": {"3600"}}
	}
	for name, test := range map[string]struct {
		params assistants.FileUploadParams
		want   sentForm
	}{
		"the least": {assistants.FileUploadParams{File: content(), Filename: "noending"},
			sentForm{assistantsOnly, "file", "content", "noending", "application/octet-stream"}},
		"an ending": {assistants.FileUploadParams{File: content(), Filename: "a.html"},
			sentForm{assistantsOnly, "file", "content", "a.html", "text/html"}},
		"a type": {assistants.FileUploadParams{File: content(), Filename: "a.html", ContentType: `text/x-mine; a="b c"`},
			sentForm{assistantsOnly, "file", "content", "a.html", `text/x-mine; a="b c"`}},
		"a purpose": {assistants.FileUploadParams{File: content(), Filename: "f", Purpose: assistants.PurposeVision},
			sentForm{map[string][]string{"purpose": {"vision"}}, "file", "content", "f", "application/octet-stream"}},
		"an end": {assistants.FileUploadParams{File: content(), Filename: "f", Purpose: assistants.PurposeUserData, ExpiresAfter: &assistants.FileExpiration{Seconds: 3600}},
			sentForm{expiring("created_at"), "file", "content", "f", "application/octet-stream"}},
		"an end of another kind": {assistants.FileUploadParams{File: content(), Filename: "f", Purpose: assistants.PurposeUserData,
			ExpiresAfter: &assistants.FileExpiration{Anchor: assistants.AnchorLastActiveAt, Seconds: 3600}},
			sentForm{expiring("last_active_at"), "file", "content", "f", "application/octet-stream"}},
		"a path": {assistants.FileUploadParams{Path: path},
			sentForm{assistantsOnly, "file", "content", "a.json", "application/json"}},
		"a path, by another name": {assistants.FileUploadParams{Path: path, Filename: "b.html"},
			sentForm{assistantsOnly, "file", "content", "b.html", "text/html"}},
		"an open file": {assistants.FileUploadParams{File: open(t, path)},
			sentForm{assistantsOnly, "file", "content", "a.json", "application/json"}},
		"nothing in it": {assistants.FileUploadParams{File: strings.NewReader(""), Filename: "f"},
			sentForm{assistantsOnly, "file", "", "f", "application/octet-stream"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			form, r := upload(t, test.params)
			assert.Equal(t, test.want, form)
			assert.NotContains(t, r.body, "secret-directory")
		})
	}
}

func open(t testing.TB, path string) *os.File {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { f.Close() })
	return f
}

// onlyReader takes every other ability from a reader.
type onlyReader struct{ io.Reader }

// Whoever knows how long a file is says so, to the byte; a connected server counts.
func TestUploadLength(t *testing.T) {
	t.Parallel()
	const text = "the content of a file"
	path := filepath.Join(t.TempDir(), "f")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	half := open(t, path)
	_, err := half.Seek(10, io.SeekStart)
	require.NoError(t, err)
	buffer := bytes.NewBufferString("!" + text)
	_, _ = buffer.ReadByte()
	for name, test := range map[string]struct {
		params assistants.FileUploadParams
		want   string
		known  bool
	}{
		"bytes.Reader":            {assistants.FileUploadParams{File: bytes.NewReader([]byte(text))}, text, true},
		"strings.Reader":          {assistants.FileUploadParams{File: strings.NewReader(text)}, text, true},
		"bytes.Buffer":            {assistants.FileUploadParams{File: buffer}, text, true},
		"open file":               {assistants.FileUploadParams{File: open(t, path)}, text, true},
		"open file in its middle": {assistants.FileUploadParams{File: half}, text[10:], true},
		"a section":               {assistants.FileUploadParams{File: io.NewSectionReader(strings.NewReader(text), 2, 5)}, text[2:7], true},
		"path":                    {assistants.FileUploadParams{Path: path}, text, true},
		"path and Size":           {assistants.FileUploadParams{Path: path, Size: int64(len(text))}, text, true},
		"Size":                    {assistants.FileUploadParams{File: onlyReader{strings.NewReader(text)}, Size: int64(len(text))}, text, true},
		"empty":                   {assistants.FileUploadParams{File: strings.NewReader("")}, "", true},
		"nobody knows":            {assistants.FileUploadParams{File: onlyReader{strings.NewReader(text)}}, text, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lengths := make(chan int64, 1)
			client := connected(t, func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				assert.NoError(t, err)
				assert.Equal(t, r.ContentLength < 0, len(r.TransferEncoding) > 0)
				form := parseForm(t, r.Header.Get("Content-Type"), string(body))
				assert.Equal(t, test.want, form.file)
				lengths <- r.ContentLength - int64(len(body))
				io.WriteString(w, fileJSON)
			})
			test.params.Filename = "f"
			_, err := client.Files.Upload(t.Context(), test.params)
			require.NoError(t, err)
			assert.Equal(t, test.known, <-lengths == 0)
		})
	}
}

// What cannot be sent is not sent.
func TestUploadRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "f")
	require.NoError(t, os.WriteFile(file, []byte("content"), 0o644))
	closed := open(t, file)
	closed.Close()
	content := strings.NewReader("content")
	for name, test := range map[string]struct {
		params assistants.FileUploadParams
		says   string
		is     error
	}{
		"nothing":              {assistants.FileUploadParams{}, "neither File nor Path", nil},
		"both":                 {assistants.FileUploadParams{File: content, Path: file}, "File and Path are given at once", nil},
		"a directory":          {assistants.FileUploadParams{Path: dir}, "no regular file", nil},
		"an open directory":    {assistants.FileUploadParams{File: open(t, dir)}, "is a directory", nil},
		"a closed file":        {assistants.FileUploadParams{File: closed}, "closed", os.ErrClosed},
		"no file":              {assistants.FileUploadParams{File: (*os.File)(nil), Filename: "f"}, "invalid", os.ErrInvalid},
		"a path to nothing":    {assistants.FileUploadParams{Path: file + "x"}, "no such file", os.ErrNotExist},
		"no name":              {assistants.FileUploadParams{File: content}, "no name", nil},
		"a directory's name":   {assistants.FileUploadParams{File: content, Filename: "a/"}, "no name", nil},
		"the name of none":     {assistants.FileUploadParams{File: content, Filename: `a\..`}, "no name", nil},
		"another size":         {assistants.FileUploadParams{File: content, Filename: "f", Size: 8}, "the file has 7 bytes, and Size says 8", nil},
		"a path's other size":  {assistants.FileUploadParams{Path: file, Size: 8}, "the file has 7 bytes, and Size says 8", nil},
		"a type of two lines":  {assistants.FileUploadParams{File: content, Filename: "f", ContentType: "text/plain\r\nX-More: 1"}, "content type", nil},
		"a type, then a break": {assistants.FileUploadParams{File: content, Filename: "f", ContentType: "text/plain; a=\"\n\""}, "content type", nil},
		"a negative size":      {assistants.FileUploadParams{File: content, Filename: "f", Size: -1}, "the Size -1 is none", nil},
		"an absurd size":       {assistants.FileUploadParams{File: content, Filename: "f", Size: math.MaxInt64}, "the Size 9223372036854775807 is none", nil},
		"a path's absurd size": {assistants.FileUploadParams{Path: file, Size: 1<<60 + 1}, "the Size 1152921504606846977 is none", nil},
		"what has a Name":      {assistants.FileUploadParams{File: namedReader{content}}, "no name", nil},
		"no type":              {assistants.FileUploadParams{File: content, Filename: "f", ContentType: "???"}, "content type", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.params.File == content { // one reader is for one call at a time
				test.params.File = strings.NewReader("content")
			}
			tr := newTransport(t, answer(200, fileJSON))
			_, err := newClient(t, tr).Files.Upload(t.Context(), test.params)
			require.ErrorContains(t, err, "assistants: POST /files: ")
			require.ErrorContains(t, err, test.says)
			if test.is != nil {
				require.ErrorIs(t, err, test.is)
			}
			assert.Empty(t, tr.requests())
		})
	}
	_, err := newClient(t, newTransport(t, answer(200, fileJSON))).Files.Upload(t.Context(),
		assistants.FileUploadParams{File: content, Filename: "f"}, assistants.WithBodyField("a", 1))
	require.ErrorContains(t, err, "WithBodyField: this call has no JSON body")
}

// A namedReader is called by what may be an address with a signature in it.
type namedReader struct{ io.Reader }

func (namedReader) Name() string { return "https://host.example/a.txt?signature=secret" }

// A form has a type of its own, whoever wants another.
func TestUploadContentType(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{"another": "application/json", "none": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := newTransport(t, answer(200, fileJSON))
			typed := assistants.WithHeader("content-type", value)
			params := assistants.FileUploadParams{File: strings.NewReader("x"), Filename: "f"}
			_, err := newClient(t, tr).Files.Upload(t.Context(), params, typed)
			require.EqualError(t, err, "assistants: POST /files: WithHeader: Content-Type: this call sends a form, which has a type of its own")
			_, err = newClient(t, tr, typed).Files.Upload(t.Context(), params)
			require.ErrorContains(t, err, "WithHeader: Content-Type: this call sends a form")
			_, err = newClient(t, tr, typed).Uploads.AddPart(t.Context(), "upload_1", assistants.UploadPartParams{Data: strings.NewReader("x")})
			require.ErrorContains(t, err, "WithHeader: Content-Type: this call sends a form")
			assert.Empty(t, tr.requests())
			_, err = newClient(t, tr, typed).Files.Retrieve(t.Context(), "file-1")
			require.NoError(t, err)
		})
	}
}

func TestFileNames(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("n", 296) + ".txt"
	for name, want := range map[string]string{
		"a.txt":                 "a.txt",
		"你好.txt":                "你好.txt",
		"naïve café.txt":        "naïve café.txt",
		`say "hi".txt`:          `say "hi".txt`,
		`dir\a.txt`:             "a.txt",
		"/home/me/a.txt":        "a.txt",
		`C:\me/a.txt`:           "a.txt",
		"../../a.txt":           "a.txt",
		"...":                   "...",
		"a\r\nX-Evil: 1":        "a__X-Evil: 1",
		"a\x00b\tc\x7fd":        "a_b_c_d",
		"a\u0085b\u2028c\u2029": "a_b_c_",
		"\u202etxt.exe":         "\u202etxt.exe",
		"שלום.txt":              "שלום.txt",
		long:                    long,
		"a\xff\xfeb":            "a\ufffdb",
		"  a b ":                "a b",
		"a;b=c,d%20e.txt":       "a;b=c,d%20e.txt",
		"'--boundary--'":        "'--boundary--'",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			form, _ := upload(t, assistants.FileUploadParams{File: strings.NewReader("x"), Filename: name})
			assert.Equal(t, want, form.name)
		})
	}
}

// Whatever a file is called, its form has one file of one name, on one line.
func FuzzFileName(f *testing.F) {
	for _, name := range []string{"a.txt", "\"\r\n\"; name=\"purpose", `\"`, "../..", "\xff", "\u2028", " ", "a/b", `a\`, "\x00", "=?utf-8?q?=41?=", "a; filename*=utf-8''b"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		tr := newTransport(t, answer(200, fileJSON))
		_, err := newClient(t, tr).Files.Upload(t.Context(), assistants.FileUploadParams{File: strings.NewReader("content"), Filename: name})
		if err != nil {
			require.ErrorContains(t, err, "no name")
			require.Empty(t, tr.requests())
			return
		}
		form := parseForm(t, tr.last().Header.Get("Content-Type"), tr.last().body)
		require.Equal(t, map[string][]string{"purpose": {"assistants"}}, form.fields)
		require.Equal(t, "file", form.key)
		require.Equal(t, "content", form.file)
		require.NotContains(t, []string{"", ".", ".."}, form.name)
		require.True(t, utf8.ValidString(form.name))
		require.False(t, strings.ContainsAny(form.name, "/\\\r\n\x00\u2028\u2029"), form.name)
		_, after, _ := strings.Cut(tr.last().body, `filename="`)
		line, _, _ := strings.Cut(after, "\r\n")
		require.Equal(t, strings.ReplaceAll(form.name, `"`, `\"`)+`"`, line)
	})
}
