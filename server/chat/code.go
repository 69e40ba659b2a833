package chat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// A CodeRunner runs the code of the code interpreter, such as in a container. What the code may do, and for how long,
// is for it to say: the server trusts it, and it should not trust the code. It is used by many goroutines at once.
type CodeRunner interface {
	// RunCode runs code to its end. That the code fails is no error: what it has printed about that is part of the
	// logs. An error is shown to the model and the caller in place of logs, behind those that come along with it, and
	// the run goes on; so it must not hold secrets. The same goes for a panic. The context ends when the run is
	// cancelled, expires, or the server is closed; what is returned after that counts for nothing.
	RunCode(ctx context.Context, code Code) (CodeResult, error)
}

// Code is what a [CodeRunner] is asked to run.
type Code struct {
	ThreadID string // of the thread that the run is on; its code may share a session
	RunID    string // of the run
	Input    string // Python, as the model wrote it
	// Files are those of the run's code interpreter resources, assistant's and thread's together. The model has been
	// told their paths, at which the code expects them.
	Files []CodeFile
}

// A CodeFile is a file that code can read.
type CodeFile struct {
	ID   string // of the file
	Name string // its name, such as "sales.csv"
	Path string // where the code expects it: "/mnt/data/" and its id

	call *server.ModelCall
}

// Open returns what is in the file, for the caller to close before ctx ends. A file that is not there any more is
// [server.ErrNotFound].
func (f CodeFile) Open(ctx context.Context) (io.ReadCloser, error) {
	if f.call == nil {
		return nil, server.ErrNotFound
	}
	_, content, err := f.call.OpenFile(ctx, f.ID)
	return content, err
}

// CodeResult is what came of [Code].
type CodeResult struct {
	// Logs is what the code has printed, and how it has failed; "" is nothing. The caller of the run sees the first MiB
	// of it, and of all logs of the run 8 MiB, the model the first and the last 32 KiB. Both are told what they do not see.
	Logs string
	// Images are those that the code has shown. They become files and part of the step.
	Images []CodeOutput
	// Files are others that the code has made in /mnt/data, to be kept. The model may link to them, as to the images,
	// by "sandbox:/mnt/data/" and their name.
	Files []CodeOutput
}

// CodeOutput is a file that code has made.
type CodeOutput struct {
	Name string // such as "plot.png", which says what type of file it is; 1 to 512 characters
	// Content is read to its end, and closed if it is an [io.Closer]. That it cannot be read, or is larger than the
	// server allows a file to be, fails the run. nil is an empty file.
	Content io.Reader
}

// codeName is the name of the function that stands for the code interpreter, unless the caller has one of that name.
const codeName = "code_interpreter"

// Limits of logs, in bytes.
const (
	maxShownLogs = 64 << 10 // that the model sees of a call
	maxLogs      = 1 << 20  // that the caller sees of a call
	maxRunLogs   = 8 << 20  // that the caller sees of all calls: half of what a run may yield
	maxCause     = 4 << 10  // of them about what is wrong with the runner
)

// mountPoint is where code finds files and makes them.
const mountPoint = "/mnt/data/"

// codeTool stands for the code interpreter. Providers refuse descriptions of more than 1024 characters.
func codeTool(name string) assistants.Tool {
	return assistants.Tool{Type: assistants.ToolFunction, Function: &assistants.FunctionDefinition{
		Name: name,
		Description: "Runs Python and returns what it prints. Files that shall be kept are written to " + mountPoint +
			". Give the user such a file by a link to its path, such as [report](sandbox:" + mountPoint + "report.csv).",
		Parameters: json.RawMessage(`{"type":"object","properties":{"code":{"type":"string","description":"Python to be run."}},` +
			`"required":["code"],"additionalProperties":false}`),
	}}
}

// instructions are those of the run, with the files that code can read. They are one message: not every model takes
// two, or one that is not the first.
func (a *answer) instructions() string {
	said := a.call.Instructions
	if a.tools.code == "" || len(a.codeFiles) == 0 {
		return said
	}
	if said != "" {
		said += "\n\n"
	}
	said += "Files that the function " + a.tools.code + " can read, with the names that the user has given them:"
	for _, f := range a.codeFiles {
		said += fmt.Sprintf("\n%s is %q", f.Path, f.Name)
	}
	return said
}

// findCodeFiles finds the files that code can read. Those that have been deleted are left out.
func (a *answer) findCodeFiles(ctx context.Context) error {
	resources := a.call.ToolResources.CodeInterpreter
	if a.model.runner == nil || resources == nil {
		return nil
	}
	for _, id := range resources.FileIDs {
		file, content, err := a.call.OpenFile(ctx, id)
		if errors.Is(err, server.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		content.Close()
		a.codeFiles = append(a.codeFiles, CodeFile{ID: id, Name: file.Filename, Path: mountPoint + id, call: a.call})
	}
	return nil
}

// runCode answers a call of the code interpreter. One that cannot be understood is shown to the model alone.
func (a *answer) runCode(ctx context.Context, c *madeCall, book func() error) error {
	input, problem := inputOf(c.Arguments)
	if problem != "" {
		c.Result = problem
		return book()
	}
	if !isObject(c.Arguments) {
		c.Arguments = codeArguments(input) // so that the model sees them as they should have been
	}
	if err := a.emit(server.CodeCall{ID: c.ID, Input: input}); err != nil {
		return err
	}
	if err := book(); err != nil {
		return err
	}
	result := a.runSafely(ctx, Code{ThreadID: a.call.ThreadID, RunID: a.call.RunID, Input: input, Files: a.codeFiles})
	defer result.close()
	if err := ctx.Err(); err != nil {
		return err
	}
	if result.Logs != "" {
		if err := a.emit(server.CodeLogs(result.Logs)); err != nil {
			return err
		}
	}
	shown := shownLogs(result.Logs)
	for _, image := range result.Images {
		file, err := a.create(ctx, image)
		if err != nil {
			return err
		}
		if err := a.emit(server.CodeImage{FileID: file.ID}); err != nil {
			return err
		}
		shown += fmt.Sprintf("\n[The user is shown this image: sandbox:%s%s]", mountPoint, file.Filename)
	}
	for _, made := range result.Files {
		file, err := a.create(ctx, made)
		if err != nil {
			return err
		}
		shown += fmt.Sprintf("\n[This file is kept for the user: sandbox:%s%s]", mountPoint, file.Filename)
	}
	c.Result = strings.TrimPrefix(shown, "\n")
	if c.Result == "" {
		c.Result = "The code has printed nothing."
	}
	return nil
}

// runSafely runs code. What is wrong with the runner becomes part of the logs, of which there are not more than the
// caller sees.
func (a *answer) runSafely(ctx context.Context, code Code) CodeResult {
	result, cause := a.try(ctx, code)
	result.Logs = cutLogs(result.Logs, max(0, min(maxLogs, maxRunLogs-a.logged)))
	if cause != "" {
		if result.Logs != "" && !strings.HasSuffix(result.Logs, "\n") {
			result.Logs += "\n"
		}
		result.Logs += "The code could not be run: " + cutLogs(cause, maxCause)
	}
	a.logged += len(result.Logs)
	return result
}

// try runs code, and returns what is wrong with the runner.
func (a *answer) try(ctx context.Context, code Code) (result CodeResult, cause string) {
	defer func() {
		if p := recover(); p != nil {
			cause = fmt.Sprintf("panic: %v", p)
		}
	}()
	result, err := a.model.runner.RunCode(ctx, code)
	if err != nil {
		cause = err.Error()
	}
	return result, cause
}

// close closes what was made.
func (r *CodeResult) close() {
	for _, list := range [][]CodeOutput{r.Images, r.Files} {
		for _, made := range list {
			if closer, ok := made.Content.(io.Closer); ok {
				closer.Close()
			}
		}
	}
}

// create keeps what code has made, and lets the model link to it.
func (a *answer) create(ctx context.Context, made CodeOutput) (*assistants.File, error) {
	content := made.Content
	if content == nil {
		content = strings.NewReader("")
	}
	file, err := a.call.CreateFile(ctx, made.Name, content)
	if err != nil {
		return nil, err
	}
	path := "sandbox:" + mountPoint + file.Filename
	a.files[path] = file.ID
	a.files["sandbox:"+mountPoint+url.PathEscape(file.Filename)] = file.ID
	return file, nil
}

// inputOf returns the code of a call, or what is wrong with it. Some models write the code in place of the arguments.
func inputOf(arguments string) (input, problem string) {
	var in struct {
		Code *string `json:"code"`
	}
	switch err := json.Unmarshal([]byte(arguments), &in); {
	case err == nil && in.Code != nil:
		return *in.Code, ""
	case !json.Valid([]byte(arguments)) && !strings.HasPrefix(strings.TrimSpace(arguments), "{"):
		return arguments, ""
	}
	return "", `The arguments cannot be read. They are a JSON object such as {"code":"print(1)"}.`
}

// codeArguments are the arguments of a call that runs code.
func codeArguments(input string) string {
	data, _ := json.Marshal(map[string]string{"code": input}) // strings always can be
	return string(data)
}

// shownLogs are logs as the model is shown them: of long ones how they begin and, since errors come last, how they end.
func shownLogs(logs string) string {
	if len(logs) <= maxShownLogs {
		return logs
	}
	end := logs[len(logs)-maxShownLogs/2:]
	return cutLogs(logs[:len(logs)-len(end)], maxShownLogs-len(end)) + "\n" + strings.ToValidUTF8(end, "")
}

// cutLogs returns the first bytes of logs, and says how many there are behind them.
func cutLogs(logs string, limit int) string {
	if len(logs) <= limit {
		return logs
	}
	return fmt.Sprintf("%s\n[%d more bytes of output are not shown]", strings.ToValidUTF8(logs[:limit], ""), len(logs)-limit)
}

// shownOutputs are outputs of the history as the model is shown them.
func shownOutputs(outputs []assistants.CodeInterpreterOutput) string {
	var texts []string
	for i := range outputs {
		if outputs[i].Image != nil {
			texts = append(texts, "[The user is shown an image]")
		} else {
			texts = append(texts, shownLogs(outputs[i].Logs))
		}
	}
	return strings.Join(texts, "\n")
}

// loggedBy is how many bytes of logs a call of the history has.
func loggedBy(c *assistants.ToolCall) (bytes int) {
	if c.CodeInterpreter == nil {
		return 0
	}
	for i := range c.CodeInterpreter.Outputs {
		bytes += len(c.CodeInterpreter.Outputs[i].Logs)
	}
	return bytes
}
