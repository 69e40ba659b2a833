// Package assistants is a client of the Assistants API: assistants that run on threads of messages, with tools, files
// and vector stores. It speaks with OpenAI-compatible servers, Azure OpenAI, Foundry Agent Service (classic), and with
// the server of this module, package server, which needs no network.
//
// # Start
//
// A [Client] has a service for each resource, and each service has the verbs of the API reference: Create, Retrieve,
// Modify, Delete, List, and All for a loop over a whole list. All methods have one shape:
//
//	client, err := assistants.NewClient()
//	assistant, err := client.Assistants.Create(ctx, assistants.AssistantCreateParams{Model: "gpt-4o"})
//
// # Endpoints
//
// [NewClient] reads the environment as the official libraries do. [WithBaseURL], [WithAzureOpenAI],
// [WithFoundryProject] and [WithHandler] name another endpoint; [WithAPIKey], [WithAzureAPIKey] and [WithTokenSource]
// give other credentials. Credentials stay with the server they were given for: a redirect elsewhere is refused, and
// no error, log or printed value shows them.
//
// # Optional fields
//
// In the params of Create a field that is zero is not sent. Where zero is a value of its own, as for a temperature,
// the field is a pointer: new(0.0). A slice that is nil is not sent, one that is empty is.
//
// In the params of Modify a field that can be cleared is an [Optional]: its zero value leaves the field alone, [Set]
// gives it a value and [Null] clears it.
//
// In answers a string that is null is "", a moment that is null is the zero [Timestamp], and an object or a number
// that can be null is a pointer.
//
// # Unions
//
// What the API calls "one of" is one struct with a Type and a field for each variant: [Tool], [ToolCall],
// [ContentPart], [ResponseFormat]. When sending, the type is inferred from the field that is set. Fields and variants
// that a server adds do not fail to decode, and a tool, a tool choice or a response format of an unknown type is sent back
// as it came.
//
// # Lists
//
// List returns one [Page]. All yields (element, error) pairs, fetches pages as the loop needs them, and ends with the
// error if there is one; it can be ranged over again.
//
// # Runs
//
// A run is an assistant at work on a thread. It can be created and looked at later, waited for, or watched:
//
//	run, err := client.Runs.Create(ctx, threadID, params)         // returns at once
//	run, err := client.Runs.CreateAndPoll(ctx, threadID, params)  // returns when the run needs somebody
//	stream, err := client.Runs.Stream(ctx, threadID, params)      // returns when the first event may come
//
// A run that fails is no error of these calls: its Status says how it ended. With [WithToolHandler], or with
// functions of package typed, the calls that the model asks for are answered on the way.
//
// # Streams
//
// A [Stream] is read by a loop over its events or its text, by a [Handler], or to its end by [Stream.Wait]:
//
//	defer stream.Close()
//	for text, err := range stream.Text() { … }
//
// It ends without an error only if the service said that it is done. Whatever else ends it is an error: the
// connection that broke off, silence of more than [WithStreamIdleTimeout], the context, and what the service reports as a
// [StreamError]. What was read until then adds up to a [Run], messages and steps.
//
// # Files and vector stores
//
// A file is uploaded, added to a vector store, and can be searched once the service has read it. Calls that end in
// UploadAndPoll do all of it, for one file or for up to 2000:
//
//	store, err := client.VectorStores.Create(ctx, assistants.VectorStoreCreateParams{Name: "Handbook"})
//	batch, err := client.FileBatches.UploadAndPoll(ctx, store.ID, assistants.FileBatchUploadParams{Files: files})
//
// Files that fail do not keep the others out: the error, a [FileFailures], tells what became of each. Assistants look
// into the vector store if their [ToolResources] name it, and [VectorStoresService.Search] does without an assistant,
// narrowed down by a [Filter].
//
// A file is sent as it is read and never held in memory. That has limits. A call can be sent again only if the file can
// be read again: one that is named by Path or can seek can, any other reader up to its first 64 KiB. A file must not
// change meanwhile. Without a size, which Size of [FileUploadParams] gives to a reader that does not know its own, a
// file is sent in chunks, which not every server takes. Beyond 512 MB the service wants parts:
// [UploadsService.UploadLarge]. Contents arrive in the same way: [FilesService.Content] returns a reader, to be closed
// by the caller.
//
// # Errors
//
// An answer that is not what was asked for is an [*APIError], with status, code, message and request id, and with
// errors.Is one of [ErrBadRequest], [ErrUnauthorized], [ErrPermission], [ErrNotFound], [ErrConflict],
// [ErrRateLimited], [ErrServer] and [ErrRetired]. Errors of the network and of the context are wrapped as they are, unless
// their text shows a credential.
//
// Calls are sent again as [WithMaxRetries] says; a POST that got no answer and may have arrived is not, unless
// [WithIdempotencyKey] makes that safe.
//
// # Concurrency
//
// A Client is immutable. It and all its services may be used by any number of goroutines. Answers belong to the
// caller.
package assistants
