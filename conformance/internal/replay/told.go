package replay

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"regexp"
	"strconv"
	"strings"

	"github.com/assistants-go/assistants/conformance/internal/recording"
)

// A sentBody is the body of a request.
type sentBody struct {
	contentType string // "" if there is no body
	content     []byte
}

// bodyOf is the body of a request: the recorded one, or what must have led to the recorded answer.
func bodyOf(e *recording.Exchange) sentBody {
	switch {
	case e.Form() != nil:
		return formBody(e.Form())
	case e.HasBody():
		return sentBody{"application/json", e.RequestBody}
	case e.Method == http.MethodPost && !e.KnowsBody():
		body, _ := told(e)
		return body
	}
	return sentBody{}
}

// told is the body of a request that its answer tells, in all that matters to the answer; ok is false if it does not.
// A stream names the assistant of its run. A file and an upload repeat their names, purposes and sizes, but not what is
// in them; a purpose that is refused is in the message. A part says nothing, and its bytes do not matter to the answer.
func told(e *recording.Exchange) (body sentBody, ok bool) {
	if e.Streamed() {
		return sentBody{"application/json", fmt.Appendf(nil, `{"assistant_id":%q,"stream":true}`, lastRun(e).AssistantID)}, true
	}
	op, _ := Find(e.Method, e.Path)
	if op == nil {
		return body, false
	}
	var object struct {
		Filename string
		Purpose  string
		Bytes    int
		Error    struct{ Message string }
	}
	if json.Unmarshal([]byte(e.ResponseText), &object) != nil {
		return body, false
	}
	switch wrong := wrongPurpose.FindStringSubmatch(object.Error.Message); {
	case op.ID == "createFile" && wrong != nil:
		return uploaded("unrecorded.txt", wrong[1], 10), true
	case e.Status != http.StatusOK:
		return body, false
	case op.ID == "createFile":
		return uploaded(object.Filename, object.Purpose, object.Bytes), true
	case op.ID == "createUpload":
		return sentBody{"application/json", fmt.Appendf(nil, `{"filename":%q,"purpose":%q,"bytes":%d,"mime_type":"text/plain"}`,
			object.Filename, object.Purpose, object.Bytes)}, true
	case op.ID == "addUploadPart":
		return formBody([]recording.FormField{{Name: "data", Filename: "part", Size: 1}}), true
	}
	return body, false
}

var wrongPurpose = regexp.MustCompile(`^'(\w+)' is not one of .* - 'purpose'$`)

func uploaded(filename, purpose string, size int) sentBody {
	return formBody([]recording.FormField{{Name: "purpose", Text: &purpose}, {Name: "file", Filename: filename, Size: size}})
}

// formBody writes a form down, with something else of the same size in place of what was not recorded.
func formBody(form []recording.FormField) sentBody {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := range form {
		f := &form[i]
		disposition := `form-data; name=` + strconv.Quote(f.Name)
		if f.Filename != "" {
			disposition += `; filename="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(f.Filename) + `"`
		}
		header := textproto.MIMEHeader{"Content-Disposition": {disposition}}
		if f.ContentType != "" {
			header.Set("Content-Type", f.ContentType)
		}
		part, err := w.CreatePart(header)
		if err == nil {
			content, _ := f.Content()
			_, err = part.Write(content)
		}
		if err != nil {
			return sentBody{} // which the server refuses
		}
	}
	if err := w.Close(); err != nil {
		return sentBody{}
	}
	return sentBody{w.FormDataContentType(), b.Bytes()}
}
