// N points by WebGL: drawing them, and finding the one under the pointer.
// A view is { yaw, pitch, zoom, shift: [x, y] }; places lie within 1 of the origin.
(() => {
  const EYE = 3; // how far the eye is from the origin

  const VERTEX = `
    attribute vec3 place;
    attribute vec3 colour;
    uniform mat3 turn;
    uniform vec2 stretch, shift;
    uniform float zoom, size;
    varying vec3 tint;
    varying float edge;
    void main() {
      vec3 turned = turn * place;
      float nearness = ${EYE}.0 / (${EYE}.0 - turned.z);
      gl_Position = vec4(turned.xy * zoom * nearness * stretch + shift, -turned.z * 0.5, 1.0);
      gl_PointSize = size * nearness * sqrt(zoom);
      edge = min(1.0, 3.0 / gl_PointSize);
      tint = colour;
    }`;

  const FRAGMENT = `
    precision mediump float;
    varying vec3 tint;
    varying float edge;
    void main() {
      float far = length(gl_PointCoord - 0.5) * 2.0;
      float share = 1.0 - smoothstep(1.0 - edge, 1.0, far); // of the pixel
      if (share == 0.0) discard;
      gl_FragColor = vec4(tint * (1.0 - 0.15 * far * far), 1.0) * share;
    }`;

  const compile = (gl, kind, source) => {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    return shader;
  };

  const link = (gl) => {
    const program = gl.createProgram();
    gl.attachShader(program, compile(gl, gl.VERTEX_SHADER, VERTEX));
    gl.attachShader(program, compile(gl, gl.FRAGMENT_SHADER, FRAGMENT));
    gl.linkProgram(program);
    gl.useProgram(program);
    return program;
  };

  const feed = (gl, program, name, values, kind, isNormalised) => {
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
    const at = gl.getAttribLocation(program, name);
    gl.enableVertexAttribArray(at);
    gl.vertexAttribPointer(at, 3, kind, isNormalised, 0, 0);
  };

  // Rows of the rotation: about the upright axis by yaw, then towards the eye by pitch.
  const turning = ({ yaw, pitch }) => {
    const [cy, sy, cp, sp] = [Math.cos(yaw), Math.sin(yaw), Math.cos(pitch), Math.sin(pitch)];
    return [cy, 0, sy, sy * sp, cp, -cy * sp, -sy * cp, sp, cy * cp];
  };

  const columns = (m) => [m[0], m[3], m[6], m[1], m[4], m[7], m[2], m[5], m[8]];

  window.bilderatlas = window.bilderatlas || {};

  // places: Float32Array of x, y, z; colours: Uint8Array of r, g, b. Null where WebGL is missing.
  window.bilderatlas.points = (canvas, places, colours) => {
    const gl = canvas.getContext("webgl", { antialias: true });
    if (!gl) return null;
    const n = places.length / 3;
    const program = link(gl);
    const uniform = (name) => gl.getUniformLocation(program, name);
    feed(gl, program, "place", places, gl.FLOAT, false);
    feed(gl, program, "colour", colours, gl.UNSIGNED_BYTE, true);
    gl.enable(gl.DEPTH_TEST);
    gl.enable(gl.SAMPLE_ALPHA_TO_COVERAGE); // smooth edges without sorting the points

    const size = Math.min(9, Math.max(2.2, 150 / Math.sqrt(n))); // CSS pixels
    const stretch = () => {
      const side = Math.min(canvas.clientWidth, canvas.clientHeight) * 0.94;
      return [side / canvas.clientWidth, side / canvas.clientHeight];
    };

    // The first points of the array, or all of them.
    const draw = (view, nDrawn = n) => {
      const density = window.devicePixelRatio || 1;
      canvas.width = Math.round(canvas.clientWidth * density);
      canvas.height = Math.round(canvas.clientHeight * density);
      gl.viewport(0, 0, canvas.width, canvas.height);
      gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
      gl.uniformMatrix3fv(uniform("turn"), false, columns(turning(view)));
      gl.uniform2fv(uniform("stretch"), stretch());
      gl.uniform2fv(uniform("shift"), view.shift);
      gl.uniform1f(uniform("zoom"), view.zoom);
      gl.uniform1f(uniform("size"), size * density);
      gl.drawArrays(gl.POINTS, 0, Math.min(n, nDrawn));
    };

    // The zoom and shift at which flat places fill the canvas.
    const fit = () => {
      const reach = [0, 1].map((axis) => {
        let [low, high] = [Infinity, -Infinity];
        for (let at = axis; at < 3 * n; at += 3) {
          low = Math.min(low, places[at]);
          high = Math.max(high, places[at]);
        }
        return { middle: (low + high) / 2, half: Math.max((high - low) / 2, 0.05) };
      });
      const s = stretch();
      const zoom = 0.92 * Math.min(...reach.map(({ half }, axis) => 1 / (half * s[axis])));
      return { zoom, shift: reach.map(({ middle }, axis) => -middle * zoom * s[axis]) };
    };

    // Where every point is drawn: x, y (CSS pixels within the canvas) and its depth, one after
    // the other in an array that the next call fills again.
    const located = new Float32Array(3 * n);
    const locate = (view) => {
      const m = turning(view);
      const [sx, sy] = stretch();
      const [halfWidth, halfHeight] = [canvas.clientWidth / 2, canvas.clientHeight / 2];
      for (let at = 0; at < 3 * n; at += 3) {
        const [a, b, c] = [places[at], places[at + 1], places[at + 2]];
        const depth = m[6] * a + m[7] * b + m[8] * c;
        const scale = (view.zoom * EYE) / (EYE - depth);
        const across = (m[0] * a + m[1] * b + m[2] * c) * scale * sx + view.shift[0];
        const up = (m[3] * a + m[4] * b + m[5] * c) * scale * sy + view.shift[1];
        located[at] = (across + 1) * halfWidth;
        located[at + 1] = (1 - up) * halfHeight;
        located[at + 2] = depth;
      }
      return located;
    };

    // The point nearest to x, y (CSS pixels within the canvas), of close ones the one in front.
    const nearest = (view, x, y, reach) => {
      locate(view);
      let found = null;
      let least = reach * reach;
      for (let i = 0, at = 0; i < n; i += 1, at += 3) {
        const square = (located[at] - x) ** 2 + (located[at + 1] - y) ** 2;
        const away = square - located[at + 2] * size * size * 0.25;
        if (away < least && square < reach * reach) {
          least = away;
          found = { i, x: located[at], y: located[at + 1] };
        }
      }
      return found;
    };

    const recolour = (changed) => gl.bufferData(gl.ARRAY_BUFFER, changed, gl.STATIC_DRAW);
    const release = () => gl.getExtension("WEBGL_lose_context")?.loseContext();
    return { n, draw, fit, locate, nearest, recolour, release };
  };
})();
