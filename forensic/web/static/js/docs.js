// The API's description, read from this server; nothing is asked of any other.
"use strict";

// Its dark colours hang on a class of the root; ours follow the system.
const isDark = matchMedia("(prefers-color-scheme: dark)");
const paint = () => document.documentElement.classList.toggle("dark-mode", isDark.matches);
isDark.addEventListener("change", paint);
paint();

(async () => {
  const session = await fetch("/api/v1/session");
  const token = session.ok ? (await session.json()).csrf_token : "";
  SwaggerUIBundle({
    url: "/api/v1/openapi.json",
    dom_id: "#swagger-ui",
    validatorUrl: null,
    requestInterceptor: (request) => {
      request.headers["X-CSRF-Token"] = token;
      return request;
    },
  });
})();
