// What the configuration needs and stock nginx has no variable for. It runs in
// the njs module, where that is installed.

// escapedRequestURI is the request's URI as a value of a query parameter: the
// way back that auth-signin gets.
function escapedRequestURI(r) {
    return encodeURIComponent(r.variables.request_uri);
}

export default { escapedRequestURI };
