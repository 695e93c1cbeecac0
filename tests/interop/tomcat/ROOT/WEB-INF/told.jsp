<%@ page session="false" contentType="text/plain; charset=UTF-8" trimDirectiveWhitespaces="true" %>
<%
  String info = request.getPathInfo();
  String user = request.getHeader("X-Remote-User");
  out.println("servlet " + config.getServletName());
  out.println("path " + request.getServletPath() + (info == null ? "" : info));
  out.println("uri " + request.getRequestURI());
  out.println("session " + (request.getSession(false) == null ? "none" : "known"));
  out.println("user " + (user == null ? "nobody" : user));
%>
