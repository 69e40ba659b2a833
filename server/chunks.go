package server

import "context"

// chunk cuts a text into spans of at most size tokens, each of which begins about overlap tokens, and no more, before
// the end of the one before it. Size is at least 100, and overlap from 0 to half of it. In their order the spans cover
// all of the text, and each reaches further than those before it.
//
// A span ends behind a paragraph, else behind a line, else behind a word, wherever the best of these comes last in the
// last eighth of its room. Words are cut only if they are longer than a span; before a long word, a span may be
// shorter, and the overlap smaller. When ctx ends, so do the spans.
func chunk(ctx context.Context, text string, size, overlap int) []Span {
	var spans []Span
	w := window{source: tokenScanner{text: text}, size: size, overlap: overlap}
	for ctx.Err() == nil && w.fill() {
		end := w.end()
		spans = append(spans, Span{w.pieces[0].start, w.pieces[end].start})
		if w.complete && end == len(w.pieces)-1 {
			break
		}
		w.pieces = append(w.pieces[:0], w.pieces[w.begin(end):]...)
	}
	return spans
}

// A piece of a text has one token or two, and is never divided.
type piece struct {
	start  int  // in the text; it ends where the next one starts
	before int  // tokens that the text has up to there
	edge   edge // between the piece before it and this one
}

// A window holds pieces of a text, from where a span begins to beyond where it may end. The last one only marks an
// end: of the text, if the window is complete, or of what was read.
type window struct {
	source        tokenScanner
	size, overlap int
	pieces        []piece
	complete      bool
}

// fill reads on until a word that begins in the span is there as a whole, or as much of it as shows that it is longer
// than a span. It tells whether there is any text.
func (w *window) fill() bool {
	if w.pieces == nil {
		room := min(2*w.size, len(w.source.text)/3) + 4 // few texts have shorter tokens
		w.pieces = append(make([]piece, 0, room), piece{edge: edgeParagraph})
	}
	for !w.complete && w.tokens(0, len(w.pieces)-1) <= 2*w.size {
		if count := w.source.next(); count > 0 {
			last := w.pieces[len(w.pieces)-1]
			w.pieces = append(w.pieces, piece{w.source.pos, last.before + count, w.source.edge})
		} else {
			w.complete = true
		}
	}
	return len(w.pieces) > 1
}

// tokens counts the tokens from one piece up to another.
func (w *window) tokens(from, to int) int { return w.pieces[to].before - w.pieces[from].before }

// wordStart is where the word begins that would be cut before piece i, or i if none would.
func (w *window) wordStart(i int) int {
	for i > 0 && w.pieces[i].edge == edgeNone {
		i--
	}
	return i
}

// wordTokens counts the tokens of a word from piece i on, as far as the window goes.
func (w *window) wordTokens(i int) int {
	end := i + 1
	for end < len(w.pieces)-1 && w.pieces[end].edge == edgeNone {
		end++
	}
	return w.tokens(i, end)
}

// end chooses the piece before which the span ends.
func (w *window) end() int {
	end := len(w.pieces) - 1
	if w.complete && w.tokens(0, end) <= w.size {
		return end
	}
	for w.tokens(0, end) > w.size {
		end--
	}
	if start := w.wordStart(end); start < end {
		if w.wordTokens(start) > w.size {
			return end
		}
		end = start
	}
	for i := end - 1; w.tokens(0, i) >= w.size-w.size/8; i-- {
		if w.pieces[i].edge > w.pieces[end].edge {
			end = i
		}
	}
	return end
}

// begin chooses the piece that the next span begins with, after one that ends before the piece given.
func (w *window) begin(end int) int {
	cut := w.pieces[end].edge == edgeNone
	need := w.wordTokens(end) // for the next span to reach further
	if cut || need > w.size {
		need = maxPieceTokens
	}
	room := min(w.overlap, w.size-need)
	begin, word := end, w.wordStart(end)
	for i := end - 1; i > 0 && w.tokens(i, end) <= room; i-- {
		edge := w.pieces[i].edge
		within := cut && i > word // a word that is cut anyway
		if within || edge >= edgeSpace || edge > edgeNone && w.tokens(begin, end) < room-room/8 {
			begin = i
		}
	}
	return begin
}
