// The API's description, read from this server; nothing is asked of any other.
"use strict";

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
