// Package layout decides how nginx is told what the model wants: which
// locations help others, who owns error_page, what stands at the server and
// what in each location.
//
// It is pure, and the only place that knows of @again, @signin-ID and
// /_sidegate/…. A helper location is made from the action that it helps, so it
// cannot lack one of its settings. What a variable of a request may hold after
// a subrequest is its business as well.
//
// It may import model. What it makes is for package render alone; others look
// at the model.
package layout
