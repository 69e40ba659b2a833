package server

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Error types of the envelope.
const (
	typeInvalidRequest = "invalid_request_error"
	typeIdempotency    = "idempotency_error"
	typeServer         = "server_error"
)

// apiError is an error as the caller gets it; see section 4 of docs/protocol.md.
// An empty param or code is null on the wire.
type apiError struct {
	status  int
	kind    string
	code    string
	param   string
	message string
}

func (e *apiError) Error() string { return e.message }

// body returns the error envelope.
func (e *apiError) body() []byte {
	b := []byte(`{"error":{"message":`)
	b = appendString(b, e.message)
	b = append(b, `,"type":`...)
	b = appendString(b, e.kind)
	b = append(b, `,"param":`...)
	b = appendStringOrNull(b, e.param)
	b = append(b, `,"code":`...)
	b = appendStringOrNull(b, e.code)
	return append(b, `}}`...)
}

func appendStringOrNull(b []byte, s string) []byte {
	if s == "" {
		return append(b, "null"...)
	}
	return appendString(b, s)
}

// invalid returns the most common kind of error: status 400.
func invalid(code, param, format string, args ...any) *apiError {
	return &apiError{
		status:  http.StatusBadRequest,
		kind:    typeInvalidRequest,
		code:    code,
		param:   param,
		message: fmt.Sprintf(format, args...),
	}
}

// maxEcho bounds, in bytes, what an error repeats of a request, so that a
// refusal is never as large as what was refused.
const maxEcho = 512

// echo prepares a part of a request for being repeated in an error.
func echo(s string) string {
	if len(s) > maxEcho {
		cut := maxEcho
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "…"
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// Errors about the caller: section 4.1 of docs/protocol.md.

func errWrongKey(key string) *apiError {
	return &apiError{
		status: http.StatusUnauthorized, kind: typeInvalidRequest, code: "invalid_api_key",
		message: "Incorrect API key provided: " + maskKey(key) +
			". You can find your API key at https://platform.openai.com/account/api-keys.",
	}
}

func errNoKey() *apiError {
	return &apiError{
		status: http.StatusUnauthorized, kind: typeInvalidRequest,
		message: "You didn't provide an API key. You need to provide your API key in an Authorization header " +
			"using Bearer auth (i.e. Authorization: Bearer YOUR_KEY), or as the password field (with blank username) " +
			"if you're accessing the API from your browser and are prompted for a username and password. " +
			"You can obtain an API key from https://platform.openai.com/account/api-keys.",
	}
}

func errNoBeta() *apiError {
	return invalid("invalid_beta", "", "You must provide the 'OpenAI-Beta' header to access the Assistants API. "+
		"Please try again by setting the header 'OpenAI-Beta: assistants=v2'.")
}

func errBetaV1() *apiError {
	return invalid("invalid_beta", "", "The v1 Assistants API has been deprecated. "+
		"Please try again by setting the header 'OpenAI-Beta: assistants=v2'. "+
		"See the migration guide for more information: https://platform.openai.com/docs/assistants/migration.")
}

// Errors about addresses: section 4.2 of docs/protocol.md.

func errUnknownURL(method, path string) *apiError {
	return &apiError{
		status: http.StatusNotFound, kind: typeInvalidRequest,
		message: fmt.Sprintf("Invalid URL (%s %s)", echo(method), echo(path)),
	}
}

func errWrongMethod(method, path string) *apiError {
	return &apiError{
		status: http.StatusMethodNotAllowed, kind: typeInvalidRequest,
		message: fmt.Sprintf("Invalid method for URL (%s %s)", echo(method), echo(path)),
	}
}

func errIDPrefix(name, id, prefix string) *apiError {
	return invalid("invalid_value", name, "Invalid '%s': '%s'. Expected an ID that begins with '%s'.",
		name, echo(id), prefix)
}

// errNotFound takes the kind as the text has it: "assistant", "run step".
func errNotFound(kind, id string) *apiError {
	return &apiError{
		status: http.StatusNotFound, kind: typeInvalidRequest,
		message: fmt.Sprintf("No %s found with id '%s'.", kind, echo(id)),
	}
}

// errUnknownCursor is inferred: an unknown cursor is answered like an unknown id.
func errUnknownCursor(kind, id string) *apiError { return errNotFound(kind, id) }

// Errors about bodies as a whole: section 4.3 of docs/protocol.md.

func errNotJSON() *apiError {
	return invalid("", "", "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your "+
		"HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON. "+
		"If you have trouble figuring out how to fix this, please contact us through our help center at help.openai.com.)")
}

// errBodyNotObject is inferred: JSON other than an object, as a whole body.
func errBodyNotObject(got string) *apiError {
	return invalid("invalid_type", "", "Invalid type for request body: expected an object, but got %s instead.", got)
}

// errBodyTooLarge is inferred.
func errBodyTooLarge(limit int64) *apiError {
	e := invalid("", "", "Maximum content size limit (%d) exceeded.", limit)
	e.status = http.StatusRequestEntityTooLarge
	return e
}

// Errors about values: section 4.4 of docs/protocol.md.

func errUnknownParameter(path string) *apiError {
	path = echo(path)
	return invalid("unknown_parameter", path, "Unknown parameter: '%s'.", path)
}

func errMissingParameter(path string) *apiError {
	return invalid("missing_required_parameter", path, "Missing required parameter: '%s'.", path)
}

// errType takes both types as the text has them: "an array of strings",
// "a boolean".
func errType(path, want, got string) *apiError {
	path = echo(path)
	return invalid("invalid_type", path, "Invalid type for '%s': expected %s, but got %s instead.", path, want, got)
}

func errEnum(path, got string, supported []string) *apiError {
	text := "Supported values are: " + quotedList(supported, "and")
	if len(supported) == 1 {
		text = "Value must be '" + supported[0] + "'"
	}
	return invalid("invalid_value", path, "Invalid value: '%s'. %s.", echo(got), text)
}

func errTooLong(path string, limit, got int) *apiError {
	path = echo(path)
	return invalid("string_above_max_length", path,
		"Invalid '%s': string too long. Expected a string with maximum length %d, but got a string with length %d instead.",
		path, limit, got)
}

func errEmpty(path string) *apiError {
	return invalid("empty_string", path,
		"Invalid '%s': empty string. Expected a string with minimum length 1, but got an empty string instead.", path)
}

func errPattern(path, pattern string) *apiError {
	return invalid("invalid_value", path,
		"Invalid '%s': string does not match pattern. Expected a string that matches the pattern '%s'.", path, pattern)
}

func errTooManyItems(path string, limit, got int) *apiError {
	return invalid("array_above_max_length", path,
		"Invalid '%s': array too long. Expected an array with maximum length %d, but got an array with length %d instead.",
		path, limit, got)
}

// errNoItems is inferred: the counterpart of the text for too many.
func errNoItems(path string) *apiError {
	return invalid("empty_array", path,
		"Invalid '%s': empty array. Expected an array with minimum length 1, but got an empty array instead.", path)
}

// errAboveMax takes the kind of number, "integer" or "decimal", and the value as
// it was sent.
func errAboveMax(path, kind string, limit int64, got string) *apiError {
	return invalid(kind+"_above_max_value", path,
		"Invalid '%s': %s above maximum value. Expected a value <= %d, but got %s instead.", path, kind, limit, shortNumber(got))
}

func errBelowMin(path, kind string, limit int64, got string) *apiError {
	return invalid(kind+"_below_min_value", path,
		"Invalid '%s': %s below minimum value. Expected a value >= %d, but got %s instead.", path, kind, limit, shortNumber(got))
}

// shortNumber keeps a number of thousands of digits out of an error.
func shortNumber(literal string) string {
	if len(literal) <= 40 {
		return literal
	}
	return literal[:40] + "…"
}

func errTooManyProperties(path string, limit, got int) *apiError {
	return invalid("object_above_max_properties", path,
		"Invalid '%s': too many properties. Expected an object with at most %d properties, but got an object with %d properties instead.",
		path, limit, got)
}

func errPropertyName(path, name string, limit, got int) *apiError {
	return invalid("property_name_above_max_length", path,
		"Invalid property name in '%s': '%s' is too long. Expected a string with maximum length %d, but got a string with length %d instead.",
		path, elide(name), limit, got)
}

// elide is inferred: a long property name is shown by its ends.
func elide(name string) string {
	runes := []rune(name)
	return string(runes[:3]) + "..." + string(runes[len(runes)-3:])
}

// errExclusive is inferred for the helper of section 5.5 of docs/protocol.md; the
// text is the one used for other parameters.
func errExclusive(path, one, other string) *apiError {
	return invalid("mutually_exclusive_parameters", path,
		"Mutually exclusive parameters: '%s'. Ensure you are only providing one of: '%s' or '%s'.", path, one, other)
}

func errNoSuchModel(name string) *apiError {
	e := invalid("model_not_found", "model", "The model '%s' does not exist", echo(name))
	e.status = http.StatusNotFound
	return e
}

func errUnknownModel(model string) *apiError {
	return invalid("model_not_found", "model", "The requested model '%s' does not exist.", echo(model))
}

func errUnsupportedModel(model string) *apiError {
	return invalid("unsupported_model", "model", "The requested model '%s' cannot be used with the Assistants API.", echo(model))
}

// errNoHelperFiles is known from April 2024; whether the service still refused
// such stores later is not.
func errNoHelperFiles() *apiError {
	return invalid("", "", "file_search tool configuration is invalid. file_ids must be non-empty")
}

func errFunctionSchema(path, name, reason string) *apiError {
	return invalid("invalid_function_parameters", path, "Invalid schema for function '%s': %s", name, reason)
}

func errFormatSchema(name, reason string) *apiError {
	return invalid("", "response_format", "Invalid schema for response_format '%s': %s", name, reason)
}

// Errors about the state of a thread or a run: section 4.5 of docs/protocol.md.

func errThreadLockedForMessages(threadID, runID string) *apiError {
	return invalid("", "", "Can't add messages to %s while a run %s is active.", threadID, runID)
}

func errThreadLockedForRuns(threadID, runID string) *apiError {
	return invalid("", "", "Thread %s already has an active run %s.", threadID, runID)
}

func errNothingToRunOn() *apiError {
	return invalid("invalid_thread", "",
		"Run creation requires a Thread with a user message or an assistant with instructions.")
}

func errNoOutputsWanted(status string) *apiError {
	return invalid("", "", "Runs in status %q do not accept tool outputs.", status)
}

func errOtherOutputsWanted(want, got []string) *apiError {
	return invalid("", "", "Expected tool outputs for call_ids %s, got %s", pythonList(want), pythonList(got))
}

func errOutputsTwice(got []string) *apiError {
	return invalid("", "", "Duplicate call_ids submitted: %s", pythonList(got))
}

func errCannotCancel(status string) *apiError {
	return invalid("", "", "Cannot cancel run with status '%s'.", status)
}

func errCannotModify(status string) *apiError {
	return invalid("", "", "Cannot update run with status '%s'.", status)
}

// errTooManyRuns is inferred: the shape of other limits.
func errTooManyRuns() *apiError {
	return &apiError{
		status: http.StatusTooManyRequests, kind: "requests", code: "rate_limit_exceeded",
		message: "There are too many active runs. Try again later.",
	}
}

// Errors about vector stores: section 17 of docs/protocol.md.

func errStoreExpired(storeID string) *apiError {
	return invalid("", "", "Vector store '%s' has expired", storeID)
}

// errStoreFull is inferred.
func errStoreFull(storeID string) *apiError {
	return invalid("", "", "Vector store '%s' cannot have more than %d files.", storeID, maxStoreFiles)
}

// errBusyFile is inferred: the shape of other limits.
func errBusyFile(fileID string) *apiError {
	return &apiError{
		status: http.StatusTooManyRequests, kind: "requests", code: "rate_limit_exceeded",
		message: fmt.Sprintf("Too many batches wait for file '%s'. Try again later.", echo(fileID)),
	}
}

// Errors about repeated requests, all inferred: section 8 of docs/protocol.md.

func errIdempotencyKeyLength(limit, got int) *apiError {
	return errTooLong("Idempotency-Key", limit, got)
}

func errIdempotencyMismatch() *apiError {
	return &apiError{
		status: http.StatusUnprocessableEntity, kind: typeIdempotency,
		message: "This Idempotency-Key was used for a different request. Use a new key, or send the same request again.",
	}
}

func errIdempotencyInProgress() *apiError {
	return &apiError{
		status: http.StatusConflict, kind: typeIdempotency,
		message: "A request with this Idempotency-Key is still being processed. Try again later.",
	}
}

// Errors about files and uploads: sections 15 and 16 of docs/protocol.md.

func errNoSuchFile(id string) *apiError {
	e := invalid("", "id", "No such File object: %s", echo(id))
	e.status = http.StatusNotFound
	return e
}

func errPurpose(path, purpose string) *apiError {
	return invalid("", path, "%s is not one of %s - '%s'", quotePython(echo(purpose)), pythonList(filePurposes), path)
}

// errForm is inferred: what the errors about forms have in common.
func errForm(param, format string, args ...any) *apiError {
	return invalid("", echo(param), format, args...)
}

func errNotForm() *apiError {
	return errForm("", "We could not parse the body of your request. "+
		"Expected a form, of content type 'multipart/form-data' with a boundary.")
}

func errBrokenForm() *apiError {
	return errForm("", "We could not parse the form that is the body of your request. It is malformed, or its end is missing.")
}

func errRepeated(name string) *apiError {
	return errForm(name, "Duplicate parameter: '%s'.", echo(name))
}

func errTooManyFields(limit int) *apiError {
	return errForm("", "Invalid form: too many fields. Expected at most %d.", limit)
}

func errFieldTooLarge(name string, limit int) *apiError {
	return errForm(name, "Invalid '%s': too large. Expected at most %d bytes.", echo(name), limit)
}

func errFileTooLarge(name string, limit int64) *apiError {
	e := errForm(name, "Invalid '%s': file too large. Expected at most %d bytes.", name, limit)
	e.status = http.StatusRequestEntityTooLarge
	return e
}

// checkFileSize is inferred: what is empty is no file, and no part of one.
func checkFileSize(name string, size int64) error {
	if size == 0 {
		return errForm(name, "Invalid '%s': the file is empty.", name)
	}
	return nil
}

// errUpload is inferred: the errors about uploads that cannot go on as they should.
func errUpload(param, format string, args ...any) *apiError {
	return invalid("", param, format, args...)
}

func errUploadStatus(verb, status string) *apiError {
	return errUpload("", "Cannot %s upload with status '%s'.", verb, status)
}

func errPartTwice(id string) *apiError {
	return errUpload("part_ids", "Duplicate part_ids submitted: '%s'.", echo(id))
}

func errUploadSize(want, got int64) *apiError {
	return errUpload("part_ids", "Expected parts of %d bytes together, but got %d bytes instead.", want, got)
}

func errUploadSum(want, got string) *apiError {
	return errUpload("md5", "Expected parts with the MD5 checksum '%s', but got '%s' instead.", echo(want), got)
}

func errUploadFull(what string, limit int64) *apiError {
	return errUpload("", "Cannot add part to upload: too many %s. Expected at most %d.", what, limit)
}

// Errors of the server: section 4.6 of docs/protocol.md.

func errInternal(requestID string) *apiError {
	return &apiError{
		status: http.StatusInternalServerError, kind: typeServer,
		message: "The server had an error while processing your request. Sorry about that! " +
			"(Please include the request ID " + requestID + " when you report it.)",
	}
}

// errClosed is inferred.
func errClosed() *apiError {
	return &apiError{
		status: http.StatusServiceUnavailable, kind: typeServer,
		message: "The server is shut down and takes no more requests.",
	}
}

// quotedList renders 'a' and 'b', or 'a', 'b', and 'c'.
func quotedList(values []string, conjunction string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = "'" + v + "'"
	}
	last := len(quoted) - 1
	switch len(quoted) {
	case 1:
		return quoted[0]
	case 2:
		return quoted[0] + " " + conjunction + " " + quoted[1]
	default:
		return strings.Join(quoted[:last], ", ") + ", " + conjunction + " " + quoted[last]
	}
}

// pythonList renders ids as a list in Python, cut like all that is repeated.
func pythonList(ids []string) string {
	rendered := make([]string, len(ids))
	for i, id := range ids {
		rendered[i] = quotePython(id)
	}
	return "[" + echo(strings.Join(rendered, ", ")) + "]"
}

// element returns the path of an item of an array: tools[3].
func element(path string, index int) string {
	return path + "[" + strconv.Itoa(index) + "]"
}

// member returns the path of a member of an object: metadata.color.
func member(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
