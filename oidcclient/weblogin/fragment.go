package weblogin

import (
	"io"
	"net/http"
)

// fragmentScript posts the parameters of the fragment to this very page, each as
// often as it is there, and takes them out of the address. It is allowed by its hash
// and nothing else is.
const fragmentScript = `var f=document.forms[0];new URLSearchParams(location.hash.slice(1)).forEach(function(v,n){var i=document.createElement("input");i.type="hidden";i.name=n;i.value=v;f.appendChild(i)});history.replaceState(null,"",location.pathname);f.submit()`

// fragmentPage is what a browser gets that brings its answer in the fragment.
func (h *Handler) fragmentPage(w http.ResponseWriter) {
	framedHeaders(w, "script-src "+scriptHash(fragmentScript)) // the page of session management logs in in a frame
	_, _ = io.WriteString(w, `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Finishing the login</title>
<form method="post"></form>
<noscript><p>Your login can't be finished without scripts.</p></noscript>
<script>`+fragmentScript+`</script>
</html>
`) // the browser may be gone
}
