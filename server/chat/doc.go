// Package chat has the assistants of a [server.Server] speak through POST /chat/completions: of OpenAI, of Azure
// OpenAI, and of every server that is compatible with it, such as Ollama, vLLM, llama.cpp and LiteLLM.
//
//	provider, err := assistants.NewClient(assistants.WithBaseURL("http://localhost:11434/v1"))
//	…
//	handler := server.New(server.WithModel(chat.New(provider)))
//
// Functions are called by the caller of the run, as ever. Tools that other services host are served here: file search
// by the server's own [server.Retriever], and the code interpreter by a [CodeRunner] of yours. The provider's model
// is offered both as functions, and calls of these are answered before the run sees anything but the step that they
// are shown as. Without a CodeRunner an assistant with a code interpreter is refused, unless [WithIgnoredTools]
// leaves the tool out.
//
// What providers do differently is put up with: calls of functions that come whole or in mixed fragments, without an
// index or an id, or behind a wrong finish_reason; text behind calls; usage in any chunk or none; answers that are no
// streams. An answer that breaks off fails the run: it has no finish_reason, no [DONE], and no usage of its own.
//
// Calls of functions are shown to the caller while the provider writes them, one after the other. Text behind them is
// a message of its own once their outputs are there; it is lost if the run does not come that far, as when the
// answer is cut at its limit of tokens. If tools that are served here are offered, functions are shown
// once the provider's answer has ended, with all of their arguments, for one of these tools may have to come first.
//
// Token budgets of a run are kept by what the provider says it has used; with one that says nothing about usage they
// bound each answer alone. Temperature and top_p are sent unless they are 1, the default of both.
package chat
