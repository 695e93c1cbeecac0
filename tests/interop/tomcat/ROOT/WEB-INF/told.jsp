<%@ page session="false" contentType="text/plain; charset=UTF-8" trimDirectiveWhitespaces="true" %>
<%
  String info = request.getPathInfo();
  String user = request.getHeader("X-Remote-User");
  out.println("servlet " + config.getServletName());
  out.println("path " + request.getServletPath() + (info == null ? "" : info));
  out.println("uri " + request.getRequestURI());
  out.println("session " + (request.getSession(false) == null ? "none" : "known"));
  String remote = request.getRemoteUser();
  out.println("remote " + (remote == null ? "nobody" : java.util.HexFormat.of().formatHex(remote.getBytes("UTF-8"))));
  out.println("roles " + request.isUserInRole("agents") + " " + request.isUserInRole("root"));
  out.println("user " + (user == null ? "nobody" : user));
  for (String name : java.util.Collections.list(request.getHeaderNames())) {
    if (name.toLowerCase().startsWith("nom-")) {
      // Tomcat makes one character of each byte.
      byte[] bytes = request.getHeader(name).getBytes(java.nio.charset.StandardCharsets.ISO_8859_1);
      out.println("header:" + name.toLowerCase() + " " + java.util.HexFormat.of().formatHex(bytes));
    }
  }
%>
